import { describe, expect, test } from 'vitest';
import { ownerOf, readRetry } from '../../../src/bridge/retry.ts';
import { readMessage } from '../../../src/mcp/message.ts';
import { messageOf, someCall } from '../calls/some-call.ts';
import { oddMembers } from './some-response.ts';

const retryWith = (params: string) =>
  readRetry(readMessage(Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`)));

describe('a request', () => {
  test('that brings a state back is a retry, with its answers to the byte', () => {
    const retry = retryWith(
      `{"inputResponses":{"r\\u0031":{${oddMembers}},"é":{}},"requestState":"a\\u0062c"}`,
    )!;
    expect(retry.state).toBe('abc');
    const texts = [...retry.responses!].map(([key, text]) => [key, Buffer.from(text, 'latin1').toString()]);
    expect(texts).toEqual([
      ['r1', `{${oddMembers}}`],
      ['é', '{}'],
    ]);
  });

  test.each(['{"requestState":""}', '{"requestState":"","inputResponses":{}}'])(
    'that brings no answers (%s) is one with none',
    (params) => {
      expect(retryWith(params)).toEqual({ state: '', responses: new Map() });
    },
  );

  test.each(['[1]', '7', 'null', '{"r1":{},"r2":5}', '{"r1":null}', '{"r1":[]}'])(
    'that brings what is no answer (%s) has none that can be used',
    (responses) => {
      const retry = retryWith(`{"requestState":"","inputResponses":${responses}}`);
      expect(retry).toEqual({ state: '', responses: undefined });
    },
  );

  test.each(['null', '7', '{}', '["x"]'])('whose state is %s, and no text, is one of nothing', (state) => {
    expect(retryWith(`{"requestState":${state}}`)).toMatchObject({ state: undefined });
  });

  test.each([
    '{}',
    '{"inputResponses":{"r1":{}}}',
    '{"arguments":{"requestState":"x"}}',
    '{"_meta":{"requestState":"x"}}',
  ])('without a state (%s) is a new one', (params) => {
    expect(retryWith(params)).toBeUndefined();
  });
});

test('a state belongs to a key, a server and what was asked for', () => {
  const whose = { tenantId: 'acme', keyName: 'laptop', server: 'default' };
  const ownerFor = (method: string, params: object) =>
    ownerOf(someCall({ message: messageOf({ id: 1, method, params }) }));
  expect(ownerFor('tools/call', { name: 'a', uri: 'b' })).toEqual({
    ...whose,
    method: 'tools/call',
    name: 'a',
  });
  expect(ownerFor('resources/read', { name: 'a', uri: 'b' })).toEqual({
    ...whose,
    method: 'resources/read',
    name: 'b',
  });
});
