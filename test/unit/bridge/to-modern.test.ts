import { describe, expect, test } from 'vitest';
import { modernEdits } from '../../../src/bridge/to-modern.ts';
import { edited, oddMembers, responseOf, responseWith, resultIn } from './some-response.ts';

const key = 'io.modelcontextprotocol/serverInfo';
const info = { name: 'Größe', version: '1' };
const modernText = (member: string, method: string) => {
  const response = responseWith(member);
  return edited(response, modernEdits(response, method, JSON.stringify(info)));
};
const modern = (result: unknown, method: string) => {
  const response = responseOf(result);
  return resultIn(edited(response, modernEdits(response, method, JSON.stringify(info))));
};
const ours = { resultType: 'complete', _meta: { [key]: info } };
const private0 = { ttlMs: 0, cacheScope: 'private' };

describe('a result', () => {
  test.each(['tools/call', 'prompts/get', 'completion/complete', 'x/y'])(
    'of %s is complete, and says whose it is',
    (method) => {
      expect(modern({ a: 1 }, method)).toEqual({ ...ours, a: 1 });
      expect(modern({}, method)).toEqual(ours);
    },
  );

  test.each(['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list', 'resources/read'])(
    'of %s is not to be kept: nobody knows how long it holds',
    (method) => {
      expect(modern({ a: 1 }, method)).toEqual({ ...ours, ...private0, a: 1 });
    },
  );

  test('cannot say of itself that it is public, or a question, or another server’s', () => {
    const forged = {
      resultType: 'input_required',
      ttlMs: 9,
      cacheScope: 'public',
      _meta: { [key]: {}, 'a/b': 1 },
    };
    const text = modernText(`"result":${JSON.stringify(forged)}`, 'resources/read');
    expect(resultIn(text)).toEqual({ ...ours, ...private0, _meta: { [key]: info, 'a/b': 1 } });
    for (const name of ['resultType', 'ttlMs', 'cacheScope', '_meta', key])
      expect(text.split(`"${name}"`)).toHaveLength(2);
  });

  test('keeps what a parser would change', () => {
    const text = modernText(`"result":{ ${oddMembers} , "_meta":{${oddMembers}}}`, 'tools/call');
    expect(text).toBe(
      `{"jsonrpc":"2.0","id":7,"result":{"resultType":"complete", ${oddMembers} , "_meta":{"${key}":${JSON.stringify(info)},${oddMembers}}}}`,
    );
  });

  test.each(['"result":7', '"result":[]', '"result":null'])('%s is not touched', (member) => {
    expect(modernText(member, 'tools/list')).toBe(`{"jsonrpc":"2.0","id":7,${member}}`);
  });
});

describe('a list of tools', () => {
  const listed = (tools: unknown) => (modern({ tools }, 'tools/list') as { tools: unknown }).tools;
  const tool = (name: string, taskSupport?: string) => ({
    name,
    ...(taskSupport !== undefined && { execution: { taskSupport } }),
  });

  test('does not say how tools take part in tasks', () => {
    expect(listed([tool('a'), tool('b', 'optional'), tool('c', 'forbidden')])).toEqual([
      tool('a'),
      tool('b'),
      tool('c'),
    ]);
  });

  test.each([
    [['required', 'none'], ['1']],
    [['none', 'required'], ['0']],
    [
      ['required', 'none', 'required', 'required', 'optional', 'required'],
      ['1', '4'],
    ],
    [['required', 'required'], []],
    [
      ['optional', 'required', 'optional'],
      ['0', '2'],
    ],
  ])('of %j shows only %j: a tool that must be a task cannot be called', (kinds, shown) => {
    const tools = kinds.map((kind, at) => tool(String(at), kind === 'none' ? undefined : kind));
    expect(listed(tools)).toEqual(shown.map((name) => tool(name)));
  });

  test('that is none stays', () => {
    expect(listed({ execution: 1 })).toEqual({ execution: 1 });
    expect(listed(['execution', null])).toEqual(['execution', null]);
  });
});

describe('an error', () => {
  test.each([
    [-32002, -32602],
    [-32042, -32603],
    [-32601, -32601],
    [-32050, -32050],
  ])('%i becomes %i', (from, to) => {
    expect(modernText(`"error":{"code":${from},"message":"m"}`, 'resources/read')).toBe(
      `{"jsonrpc":"2.0","id":7,"error":{"code":${to},"message":"m"}}`,
    );
  });
});
