import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readEnvelope } from '../../../src/mcp/envelope.ts';
import { paramsOf } from '../../../src/mcp/message.ts';
import {
  type Capabilities,
  createWorkerKinds,
  everything,
  modernKind,
  modernParams,
  plainKind,
  type WorkerKind,
} from '../../../src/workers/kind.ts';
import { messageOf } from '../calls/some-call.ts';

const told = ({ greeting }: WorkerKind) => paramsOf(greeting)['capabilities'];
const kindOf = (capabilities: Capabilities) => createWorkerKinds().legacy(capabilities);

describe('a worker for clients that declare', () => {
  test.each([
    ['nothing', {}],
    ['what no server asks for', { experimental: { x: {} }, tasks: { list: {} } }],
    ['roots, which are each client’s own', { roots: { listChanged: true } }],
    ['things that are none', { sampling: true, elicitation: null, extensions: [] }],
    ['no extension', { extensions: {} }],
  ])('%s is told nothing, and is the same for all of them', (_what, capabilities) => {
    expect(kindOf(capabilities)).toBe(plainKind);
    expect([told(plainKind), plainKind.asks]).toEqual([{}, false]);
  });

  test.each([
    [{ sampling: {} }, { sampling: {} }, true],
    [{ sampling: { tools: { x: 1 }, context: {}, own: {} } }, { sampling: { tools: {}, context: {} } }, true],
    [{ elicitation: {} }, { elicitation: {} }, true],
    [{ elicitation: { url: {}, form: {}, own: 1 } }, { elicitation: { form: {}, url: {} } }, true],
    [{ elicitation: { form: true } }, { elicitation: {} }, true],
    [{ extensions: { b: { x: 1 }, a: {} } }, { extensions: { a: {}, b: { x: 1 } } }, false],
  ])('%j is told %j, and no secret of one of them', (capabilities, shared, asks) => {
    const kind = kindOf({ ...capabilities, roots: {}, experimental: { s3cret: {} } });
    expect([told(kind), kind.asks, kind.era]).toEqual([shared, asks, 'legacy']);
  });
});

describe('two clients', () => {
  const kinds = createWorkerKinds();
  const legacy = (capabilities: Capabilities) => kinds.legacy(capabilities);

  test('that can do the same share their workers, however they say it', () => {
    const one = legacy({ elicitation: { form: {}, url: {} }, extensions: { a: {}, b: {} } });
    expect(legacy({ extensions: { b: {}, a: {} }, roots: {}, elicitation: { url: {}, form: {} } })).toBe(one);
  });

  test('that cannot do not: a server may show them other tools', () => {
    const all = [
      {},
      { sampling: {} },
      { elicitation: {} },
      { elicitation: { url: {} } },
      { extensions: { a: {} } },
    ];
    const given = all.map((capabilities) => legacy(capabilities));
    expect(new Set(given).size).toBe(all.length);
    expect(new Set(given.map(({ key }) => key)).size).toBe(all.length);
    expect(given.map(({ key }) => key)).not.toContain(modernKind.key);
  });
});

test('a client that declares ever new things gets no worker of its own for each', () => {
  const kinds = createWorkerKinds();
  const legacy = (capabilities: Capabilities) => kinds.legacy(capabilities);
  const given = Array.from({ length: 100 }, (_none, at) => legacy({ extensions: { [`x${at}`]: {} } }));
  expect(new Set(given).size).toBe(33);
  expect(given[99]).toBe(plainKind);
  expect(legacy({ extensions: { x0: {} } })).toBe(given[0]);
});

test('nor one that declares very much', () => {
  expect(kindOf({ extensions: { x: { text: 'x'.repeat(5000) } } })).toBe(plainKind);
});

test('nor is another client, or itself, asked less for that', () => {
  const kinds = createWorkerKinds();
  const legacy = (capabilities: Capabilities) => kinds.legacy(capabilities);
  for (let at = 0; at < 100; at++) legacy({ extensions: { [`x${at}`]: {} } });
  const sampling = legacy({ sampling: {} });
  expect([told(sampling), sampling.asks]).toEqual([{ sampling: {} }, true]);
  expect(legacy({ sampling: {}, extensions: { new: {} } })).toBe(sampling);
  expect(legacy({ sampling: {}, extensions: { x: { text: 'x'.repeat(5000) } } })).toBe(sampling);
});

test('no declaration, however odd, stops a client from being served', () => {
  const anything = fc.dictionary(
    fc.constantFrom('sampling', 'elicitation', 'extensions', '__proto__', 'roots'),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(anything, (capabilities) => {
      const kinds = createWorkerKinds();
      const legacy = (capabilities: Capabilities) => kinds.legacy(capabilities);
      const kind = legacy(capabilities);
      expect(legacy(JSON.parse(JSON.stringify(capabilities)) as Capabilities)).toBe(kind);
      expect(kind.asks).toBe(Object.keys(told(kind) as object).some((name) => name !== 'extensions'));
    }),
  );
});

test('a server of one process for all clients is told all there is', () => {
  const kind = kindOf(everything);
  expect([told(kind), kind.asks]).toEqual([everything, true]);
});

test('what the proxy asks a modern server of itself has an envelope in which it can do nothing', () => {
  const params = modernParams({ cursor: 'é' });
  const message = messageOf({ id: 1, method: 'tools/list', params });
  const clientInfo = { name: 'mcp-tenant-proxy', version: expect.any(String) as string };
  expect(readEnvelope(message)).toEqual({
    version: '2026-07-28',
    capabilities: {},
    clientInfo,
    logLevel: undefined,
  });
  expect(params).toMatchObject({ cursor: 'é' });
  expect(modernKind).toMatchObject({ era: 'modern', asks: false, greeting: { method: 'server/discover' } });
  expect(readEnvelope(modernKind.greeting)).toMatchObject({ capabilities: {} });
});
