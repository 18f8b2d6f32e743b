import { describe, expect, test } from 'vitest';
import { legacyEdits } from '../../../src/bridge/to-legacy.ts';
import { edited, oddMembers, responseOf, responseWith, resultIn } from './some-response.ts';

const serverInfo = 'io.modelcontextprotocol/serverInfo';
const legacyText = (member: string, method: string) => {
  const response = responseWith(member);
  return edited(response, legacyEdits(response, method));
};
const legacy = (result: unknown, method: string) => {
  const response = responseOf(result);
  return resultIn(edited(response, legacyEdits(response, method)));
};

describe('a result', () => {
  test('loses what only the modern era has', () => {
    const result = { resultType: 'complete', ttlMs: 5, cacheScope: 'public', tools: [], nextCursor: 'c' };
    expect(legacy(result, 'tools/list')).toEqual({ tools: [], nextCursor: 'c' });
  });

  test('keeps members of these names where they are the server’s own', () => {
    expect(legacy({ ttlMs: 5, cacheScope: 'x', content: [] }, 'tools/call')).toEqual({
      ttlMs: 5,
      cacheScope: 'x',
      content: [],
    });
    expect(legacy({ content: [{ resultType: 'complete' }] }, 'tools/call')).toEqual({
      content: [{ resultType: 'complete' }],
    });
  });

  test('loses _meta with the server’s name, and only if nothing else is in it', () => {
    expect(legacy({ _meta: { [serverInfo]: { name: 's' } }, content: [] }, 'tools/call')).toEqual({
      content: [],
    });
    expect(legacy({ _meta: { [serverInfo]: {}, 'a/b': 1 } }, 'tools/call')).toEqual({ _meta: { 'a/b': 1 } });
    expect(legacy({ _meta: {} }, 'tools/call')).toEqual({ _meta: {} });
  });

  test('is otherwise passed on to the byte', () => {
    const meta = `"_meta" : {"${serverInfo}":{},${oddMembers}}`;
    expect(legacyText(`"result":{"resultType":"complete", ${meta} , ${oddMembers}}`, 'prompts/get')).toBe(
      `{"jsonrpc":"2.0","id":7,"result":{"_meta" : {${oddMembers}} , ${oddMembers}}}`,
    );
  });

  test.each(['"result":"text"', '"result":[{"resultType":1}]', '"result":null'])(
    '%s is not touched',
    (member) => {
      expect(legacyText(member, 'tools/list')).toBe(`{"jsonrpc":"2.0","id":7,${member}}`);
    },
  );
});

describe('structured content', () => {
  test.each(['[1,1e400]', '"é"', '7', 'true', 'null'])(
    '%s, which is no object, is put into one',
    (content) => {
      expect(legacyText(`"result":{"structuredContent": ${content} ,"content":[]}`, 'tools/call')).toBe(
        `{"jsonrpc":"2.0","id":7,"result":{"structuredContent": {"result":${content}} ,"content":[]}}`,
      );
    },
  );

  test('that is an object stays, and so does that of other methods', () => {
    expect(legacy({ structuredContent: { a: 1 } }, 'tools/call')).toEqual({ structuredContent: { a: 1 } });
    expect(legacy({ structuredContent: [1] }, 'prompts/get')).toEqual({ structuredContent: [1] });
  });
});

describe('output schemas', () => {
  const tool = (outputSchema: unknown) => ({ name: 'é', inputSchema: { type: 'object' }, outputSchema });

  test('of an object stay, and others are put into one', () => {
    const object = { type: 'object', properties: {} };
    const list = { type: 'array', items: { $ref: '#/$defs/é' }, $defs: { é: { type: 'integer' } } };
    expect(legacy({ tools: [tool(object), tool(list), { name: 'none' }] }, 'tools/list')).toEqual({
      tools: [
        tool(object),
        tool({
          type: 'object',
          properties: { result: { ...list, items: { $ref: '#/properties/result/$defs/é' } } },
          required: ['result'],
        }),
        { name: 'none' },
      ],
    });
  });

  test.each([true, 'text', null, [1]])('that are none (%j) are for the client to judge', (schema) => {
    expect(legacy({ tools: [tool(schema), 'no tool', null] }, 'tools/list')).toEqual({
      tools: [tool(schema), 'no tool', null],
    });
  });

  test('a list that is none stays', () => {
    expect(legacy({ tools: { 0: tool([]) } }, 'tools/list')).toEqual({ tools: { 0: tool([]) } });
  });
});

describe('an error', () => {
  test.each([
    [-32020, -32603],
    [-32021, -32603],
    [-32022, -32602],
    [-32602, -32602],
    [-32000, -32000],
  ])('%i, about the proxy’s own envelope or not, becomes %i', (from, to) => {
    expect(legacyText(`"error":{"code":${from},"message":"m","data":{"resultType":1}}`, 'tools/call')).toBe(
      `{"jsonrpc":"2.0","id":7,"error":{"code":${to},"message":"m","data":{"resultType":1}}}`,
    );
  });
});
