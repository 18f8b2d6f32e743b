import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ServerFacts } from '../../../src/mcp/handshake.ts';
import { honoured, type ListenFilter, readFilter } from '../../../src/mcp/listen-filter.ts';

const nothing: ListenFilter = { tools: false, prompts: false, resources: false, uris: [] };
const all: ListenFilter = { tools: true, prompts: true, resources: true, uris: ['a', 'b'] };

describe('what a caller wants to hear', () => {
  test('is read', () => {
    expect(readFilter({})).toEqual(nothing);
    expect(readFilter({ toolsListChanged: true })).toEqual({ ...nothing, tools: true });
    expect(
      readFilter({
        toolsListChanged: true,
        promptsListChanged: true,
        resourcesListChanged: true,
        resourceSubscriptions: ['a', 'b', 'a'],
        unknown: 1,
      }),
    ).toEqual(all);
  });

  test.each([false, 'true', 1, null, {}])('only `true` is yes, and %j is not', (value) => {
    expect(readFilter({ toolsListChanged: value })).toEqual(nothing);
  });

  test.each([undefined, null, 7, 'x', [], [{}]])('%j is no filter', (value) => {
    expect(readFilter(value)).toBeUndefined();
  });

  test.each([[7], ['a', 7], [null], [['a']]])('a resource that is no text (%j) is refused', (...uris) => {
    expect(readFilter({ resourceSubscriptions: uris })).toBeUndefined();
  });

  test.each(['a', {}, 7, true])('resources that are no list (%j) are refused', (resourceSubscriptions) => {
    expect(readFilter({ resourceSubscriptions })).toBeUndefined();
  });

  test('a thousand resources are the most', () => {
    const uris = (count: number) => Array.from({ length: count }, (_none, at) => String(at));
    expect(readFilter({ resourceSubscriptions: uris(1000) })?.uris).toHaveLength(1000);
    expect(readFilter({ resourceSubscriptions: uris(1001) })).toBeUndefined();
  });
});

describe('what of it is honoured', () => {
  const server = (capabilities: Readonly<Record<string, unknown>>) =>
    ({ discover: { capabilities } }) as unknown as ServerFacts;

  test.each([
    [{}, nothing],
    [{ tools: { listChanged: true } }, { ...nothing, tools: true }],
    [{ prompts: { listChanged: true } }, { ...nothing, prompts: true }],
    [{ resources: { listChanged: true } }, { ...nothing, resources: true }],
    [{ resources: { subscribe: true } }, { ...nothing, uris: ['a', 'b'] }],
    [{ tools: {}, prompts: { listChanged: false }, resources: { subscribe: 'yes' } }, nothing],
    [{ tools: true, prompts: null, resources: [true] }, nothing],
  ])('is as much as a server with %j can tell', (capabilities, filter) => {
    expect(honoured(all, server(capabilities))).toEqual(filter);
  });

  test('is never more than was wanted, and wanting it again changes nothing', () => {
    const filters = fc.record({
      tools: fc.boolean(),
      prompts: fc.boolean(),
      resources: fc.boolean(),
      uris: fc.uniqueArray(fc.string()),
    });
    const feature = fc.record({ listChanged: fc.boolean(), subscribe: fc.boolean() });
    const servers = fc.record({ tools: feature, prompts: feature, resources: feature }, { requiredKeys: [] });
    fc.assert(
      fc.property(filters, servers, (wanted, capabilities) => {
        const got = honoured(wanted, server(capabilities));
        for (const name of ['tools', 'prompts', 'resources'] as const)
          if (!wanted[name]) expect(got[name]).toBe(false);
        expect(wanted.uris).toEqual(expect.arrayContaining([...got.uris]));
        expect(honoured(got, server(capabilities))).toEqual(got);
      }),
    );
  });
});
