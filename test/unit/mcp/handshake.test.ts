import { describe, expect, test } from 'vitest';
import {
  discoverAnswer,
  initializeAnswer,
  initializedNotification,
  initializeRequest,
  type HandshakeProblem,
  type InitializeResult,
  readFacts,
  type ServerFacts,
} from '../../../src/mcp/handshake.ts';
import { readMessage, valueOf } from '../../../src/mcp/message.ts';
import { oddMembers } from '../bridge/some-response.ts';
import { type Era, latestLegacyVersion, legacyVersions } from '../../../src/mcp/versions.ts';

const result: InitializeResult = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: { listChanged: true } },
  serverInfo: { name: 'Grüße', version: '1' },
  instructions: 'Zeile 1\nZeile 2 😀',
};
const answered = (member: string, era: Era = 'legacy') =>
  readFacts(era, readMessage(Buffer.from(`{"jsonrpc":"2.0","id":1,${member}}`)));
const withResult = (value: unknown, era: Era = 'legacy') =>
  answered(`"result":${JSON.stringify(value)}`, era) as ServerFacts;

test('the proxy introduces itself, in the newest revision it speaks', () => {
  const message = initializeRequest({ name: 'mcp-tenant-proxy', version: '1.2.3' }, { roots: {} });
  expect(message).toMatchObject({ kind: 'request', method: 'initialize' });
  expect(valueOf(message, message.params)).toEqual({
    protocolVersion: latestLegacyVersion,
    capabilities: { roots: {} },
    clientInfo: { name: 'mcp-tenant-proxy', version: '1.2.3' },
  });
});

test('and says when it is ready', () => {
  expect(readMessage(Buffer.from(initializedNotification))).toMatchObject({
    kind: 'notification',
    method: 'notifications/initialized',
  });
});

describe('what a server says of itself', () => {
  test('is kept whole, in any revision the proxy speaks', () => {
    for (const protocolVersion of legacyVersions)
      expect(withResult({ ...result, protocolVersion }).initialize).toEqual({ ...result, protocolVersion });
  });

  test('is told to modern clients in their words, without the tasks of 2025-11-25', () => {
    const capabilities = { tools: { listChanged: true }, tasks: { list: {} } };
    expect(withResult({ ...result, capabilities }).discover).toEqual({
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: { listChanged: true } },
      instructions: result['instructions'],
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { 'io.modelcontextprotocol/serverInfo': result['serverInfo'] },
    });
  });

  test('in the modern era is told to legacy clients in theirs, and kept by nobody for everybody', () => {
    const discovered = {
      resultType: 'complete',
      supportedVersions: ['2026-07-28', '2099-01-01'],
      capabilities: { tools: {}, extensions: { 'io.modelcontextprotocol/tasks': {}, 'com.example/x': {} } },
      ttlMs: 5000,
      cacheScope: 'public',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'm', version: '2' } },
    };
    const { initialize, discover, identity } = withResult(discovered, 'modern');
    expect(initialize).toEqual({
      protocolVersion: latestLegacyVersion,
      capabilities: { tools: {}, extensions: { 'com.example/x': {} } },
      serverInfo: { name: 'm', version: '2' },
    });
    expect(discover).toEqual({ ...discovered, supportedVersions: ['2026-07-28'], cacheScope: 'private' });
    expect(JSON.parse(identity)).toEqual({ name: 'm', version: '2' });
  });

  test('an error may mean that it is of the other era, any other answer does not', () => {
    expect(answered('"error":{"code":-32601,"message":""}', 'modern')).toMatchObject({ isRefusal: true });
    expect(answered('"result":{}', 'modern')).toMatchObject({ isRefusal: false });
  });

  test.each([
    ['an error', '"error":{"code":-32602,"message":"s3cret"}', /error -32602/],
    ['an error without a code', '"error":null', /error undefined/],
    ['no object', '"result":"s3cret"', /no result/],
    ['null', '"result":null', /no result/],
    ['no revision', '"result":{"capabilities":{}}', /revision/],
    ['an unknown revision', '"result":{"protocolVersion":"s3cret","capabilities":{}}', /revision/],
    ['no capabilities', `"result":{"protocolVersion":"${latestLegacyVersion}"}`, /capabilities/],
  ])('is refused if it is %s, in words that quote nothing', (_what, member, words) => {
    const { problem } = answered(member) as HandshakeProblem;
    expect(problem).toMatch(words);
    expect(problem).not.toContain('s3cret');
  });
});

describe('the answer to one session', () => {
  test.each(['1', '"1"', '"é"', '12345678901234567890'])('has its own id %s and revision', (id) => {
    const request = readMessage(Buffer.from(`{"jsonrpc":"2.0","id":${id},"method":"initialize"}`));
    const answer = initializeAnswer(request, { result }, '2024-11-05').toString();
    expect(answer.startsWith(`{"jsonrpc":"2.0","id":${id},"result":`)).toBe(true);
    expect(JSON.parse(answer)).toMatchObject({ result: { ...result, protocolVersion: '2024-11-05' } });
  });

  test('is otherwise what the server wrote, to the byte', () => {
    const request = readMessage(Buffer.from('{"jsonrpc":"2.0","id":"é","method":"initialize"}'));
    const said = (version: string) =>
      `{"capabilities":{"experimental":{${oddMembers}}} , "protocolVersion" : "${version}",${oddMembers}}`;
    const facts = answered(`"result":${said('2025-11-25')}`) as ServerFacts;
    const answer = initializeAnswer(request, { ...facts, result: facts.initialize }, '2024-11-05');
    expect(answer.toString()).toBe(`{"jsonrpc":"2.0","id":"é","result":${said('2024-11-05')}}`);
  });

  test('of the other era has all else as the server spelled it', () => {
    const request = readMessage(Buffer.from('{"jsonrpc":"2.0","id":"é","method":"server/discover"}'));
    const info = `{"name":"n","version":"1",${oddMembers}}`;
    const capabilities = `"capabilities":{"experimental":{${oddMembers}}}`;
    const legacy = answered(
      `"result":{"protocolVersion":"2025-11-25", ${capabilities},"serverInfo":${info},${oddMembers}}`,
    ) as ServerFacts;
    expect(discoverAnswer(request, legacy).toString()).toBe(
      `{"jsonrpc":"2.0","id":"é","result":{"resultType":"complete","supportedVersions":["2026-07-28"],"cacheScope":"private","ttlMs":0,"_meta":{"io.modelcontextprotocol/serverInfo":${info}},${capabilities},${oddMembers}}}`,
    );
    expect(legacy.identity).toBe(info);
    const modern = answered(
      `"result":{"resultType":"complete","supportedVersions":["2026-07-28"],${capabilities},"_meta":{"io.modelcontextprotocol/serverInfo":${info},"x":1.0},${oddMembers}}`,
      'modern',
    ) as ServerFacts;
    expect(discoverAnswer(request, modern).toString()).toBe(
      `{"jsonrpc":"2.0","id":"é","result":{"supportedVersions":["2026-07-28"],"cacheScope":"private","resultType":"complete",${capabilities},"_meta":{"io.modelcontextprotocol/serverInfo":${info},"x":1.0},${oddMembers}}}`,
    );
    const answer = initializeAnswer(request, { ...modern, result: modern.initialize }, '2024-11-05');
    expect(answer.toString()).toBe(
      `{"jsonrpc":"2.0","id":"é","result":{"protocolVersion":"2024-11-05","serverInfo":${info},${capabilities},"_meta":{"x":1.0},${oddMembers}}}`,
    );
  });

  test('is made anew where only what it means was kept', () => {
    const request = readMessage(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"server/discover"}'));
    const { discover } = withResult(result);
    expect(JSON.parse(discoverAnswer(request, { discover }).toString())).toMatchObject({ result: discover });
  });

  test('does not change what is kept for the next', () => {
    const request = readMessage(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"initialize"}'));
    const kept = structuredClone(result);
    initializeAnswer(request, { result: kept }, '2024-11-05');
    expect(kept).toEqual(result);
  });
});
