import { describe, expect, test } from 'vitest';
import {
  initializeAnswer,
  initializedNotification,
  initializeRequest,
  type InitializeResult,
  readInitializeResult,
} from '../../../src/mcp/handshake.ts';
import { readMessage, valueOf } from '../../../src/mcp/message.ts';
import { latestLegacyVersion, legacyVersions } from '../../../src/mcp/versions.ts';

const result: InitializeResult = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: { listChanged: true } },
  serverInfo: { name: 'Grüße', version: '1' },
  instructions: 'Zeile 1\nZeile 2 😀',
};
const answered = (member: string) =>
  readInitializeResult([Buffer.from(`{"jsonrpc":"2.0","id":1,${member}}`)]);
const withResult = (value: unknown) => answered(`"result":${JSON.stringify(value)}`);

test('the proxy introduces itself, in the newest revision it speaks', () => {
  const message = initializeRequest('1.2.3', { roots: {} });
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
      expect(withResult({ ...result, protocolVersion })).toEqual({ ...result, protocolVersion });
  });

  test('may come in pieces', () => {
    const bytes = Buffer.from(`{"jsonrpc":"2.0","id":1,"result":${JSON.stringify(result)}}`);
    const pieces = [...bytes.keys()].map((at) => bytes.subarray(at, at + 1));
    expect(readInitializeResult(pieces)).toEqual(result);
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
    const problem = answered(member);
    expect(problem).toMatch(words);
    expect(problem).not.toContain('s3cret');
  });
});

describe('the answer to one session', () => {
  test.each(['1', '"1"', '"é"', '12345678901234567890'])('has its own id %s and revision', (id) => {
    const request = readMessage(Buffer.from(`{"jsonrpc":"2.0","id":${id},"method":"initialize"}`));
    const answer = initializeAnswer(request, result, '2024-11-05').toString();
    expect(answer.startsWith(`{"jsonrpc":"2.0","id":${id},"result":`)).toBe(true);
    expect(JSON.parse(answer)).toMatchObject({ result: { ...result, protocolVersion: '2024-11-05' } });
  });

  test('does not change what is kept for the next', () => {
    const request = readMessage(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"initialize"}'));
    const kept = structuredClone(result);
    initializeAnswer(request, kept, '2024-11-05');
    expect(kept).toEqual(result);
  });
});
