import { describe, expect, test } from 'vitest';
import type { Message } from '../../../src/mcp/message.ts';
import { createMirroredParameters } from '../../../src/workers/mirrored.ts';
import type { Worker } from '../../../src/workers/worker.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { responseOf, responseWith } from '../bridge/some-response.ts';

const headed = (header: unknown) => ({ type: 'string', 'x-mcp-header': header });
const tool = (name: unknown, properties: unknown) => ({ name, inputSchema: { type: 'object', properties } });
const region = [{ header: 'mcp-param-region', path: ['region'] }];

/** A worker that answers `tools/list` with these, one after the other; undefined: it ended before it did. */
function worker(...answers: (Message | undefined)[]) {
  const asked: unknown[] = [];
  const inquire = (method: string, params: object) => {
    asked.push([method, params]);
    return Promise.resolve(answers[asked.length - 1]);
  };
  return { asked, seen: { talk: { inquire } } as unknown as Worker };
}
const page = (tools: unknown, nextCursor?: unknown) =>
  responseOf({ tools, ...(nextCursor !== undefined && { nextCursor }) });

async function loaded(...answers: (Message | undefined)[]) {
  const parameters = createMirroredParameters(createFakeClock());
  const { seen, asked } = worker(...answers);
  await parameters.load(seen);
  return {
    asked,
    of: (name: string) => parameters.of(name),
    load: (next: Worker) => parameters.load(next),
    forget: () => parameters.forget(),
  };
}

describe('the parameters that headers repeat', () => {
  test('are not known before the list of tools was read', () => {
    expect(createMirroredParameters(createFakeClock()).of('a')).toBeUndefined();
  });

  test('are found wherever properties lead, and nowhere else', async () => {
    const { of } = await loaded(
      page([
        tool('a', {
          region: headed('Region'),
          plain: { type: 'string' },
          deep: {
            type: 'object',
            properties: { er: { ...headed('X-1'), properties: { est: headed('y') } } },
          },
          list: { type: 'array', items: headed('No') },
          any: { anyOf: [headed('No')] },
        }),
        tool('b', {}),
        { name: 'c' },
      ]),
    );
    expect(of('a')).toEqual([
      ...region,
      { header: 'mcp-param-x-1', path: ['deep', 'er'] },
      { header: 'mcp-param-y', path: ['deep', 'er', 'est'] },
    ]);
    expect([of('b'), of('c'), of('unknown')]).toEqual([[], [], []]);
  });

  test.each(['', 'a b', 'a:b', 'a\r\nb', 'é', 7, null, true, ['a']])(
    'of a header that cannot be (%j) are none',
    async (header) => {
      const { of } = await loaded(page([tool('a', { x: headed(header), region: headed('Region') })]));
      expect(of('a')).toEqual(region);
    },
  );

  test.each([[[null, 7, 'x', [], tool(7, {}), tool('a', { region: headed('Region') })]]])(
    'are found among what is no tool',
    async (tools) => {
      const { of } = await loaded(page(tools));
      expect(of('a')).toEqual(region);
    },
  );

  test('of a schema without an end are found as far as sixteen levels', async () => {
    let schema: Record<string, unknown> = headed('deepest');
    for (let level = 0; level < 100; level++)
      schema = { properties: { x: { ...headed(`h${level}`), ...schema } } };
    const { of } = await loaded(page([{ name: 'a', inputSchema: schema }]));
    expect(
      of('a')!
        .map(({ path }) => path.length)
        .sort((a, b) => b - a)[0],
    ).toBe(17);
  });
});

describe('a list of many pages', () => {
  test('is read to its end', async () => {
    const { of, asked } = await loaded(page([], 'é'), page([tool('a', { region: headed('Region') })], 7));
    expect(of('a')).toEqual(region);
    expect(asked).toEqual([
      ['tools/list', {}],
      ['tools/list', { cursor: 'é' }],
    ]);
  });

  test('without an end is read for fifty', async () => {
    const { asked } = await loaded(...Array.from({ length: 99 }, () => page([], 'more')));
    expect(asked).toHaveLength(50);
  });
});

describe('a list that could not be read is not taken for one without parameters', () => {
  test.each([
    ['the worker ended', undefined],
    ['it answered with an error', responseWith('"error":{"code":-32603,"message":"m"}')],
    ['it answered with nonsense', responseWith('"result":[]')],
  ])('%s: on the first page, or a later one', async (_what, answer) => {
    expect((await loaded(answer)).of('a')).toBeUndefined();
    expect((await loaded(page([tool('a', {})], 'more'), answer)).of('a')).toBeUndefined();
  });
});

describe('when the list changes', () => {
  test('it is read again', async () => {
    const { of, load, forget } = await loaded(page([tool('a', { region: headed('Region') })]));
    forget();
    expect(of('a')).toBeUndefined();
    await load(worker(page([tool('a', {})])).seen);
    expect(of('a')).toEqual([]);
  });

  test('while it is read, what was read is of before', async () => {
    const parameters = createMirroredParameters(createFakeClock());
    const loading = parameters.load(worker(page([tool('a', {})])).seen);
    parameters.forget();
    await loading;
    expect(parameters.of('a')).toBeUndefined();
  });
});

test('many calls at once read it once', async () => {
  const parameters = createMirroredParameters(createFakeClock());
  const { seen, asked } = worker(page([]), page([]));
  await Promise.all([parameters.load(seen), parameters.load(seen), parameters.load(seen)]);
  expect(asked).toHaveLength(1);
});

describe('a list that does not come', () => {
  /** A worker that answers nothing, and keeps to the time it is given. */
  function slow() {
    const clock = createFakeClock();
    let asked = 0;
    const inquire = (_method: string, _params: object, patienceMs: number) => {
      asked++;
      return new Promise((resolve) => void clock.after(patienceMs, () => resolve(undefined)));
    };
    const parameters = createMirroredParameters(clock);
    const hanging = { talk: { inquire } } as unknown as Worker;
    return { clock, parameters, hanging, asked: () => asked };
  }

  test('is waited for ten seconds, then let be for thirty, and asked for again', async () => {
    const { clock, parameters, hanging, asked } = slow();
    const loading = parameters.load(hanging);
    clock.advance(10_000);
    await loading;
    expect(parameters.of('a')).toBeUndefined();
    await parameters.load(hanging);
    expect(asked()).toBe(1);
    clock.advance(30_000);
    await parameters.load(worker(page([tool('a', { region: headed('Region') })])).seen);
    expect(parameters.of('a')).toEqual(region);
  });

  test('is asked for at once when there is another', async () => {
    const { clock, parameters, hanging } = slow();
    const loading = parameters.load(hanging);
    clock.advance(10_000);
    await loading;
    parameters.forget();
    await parameters.load(worker(page([tool('a', { region: headed('Region') })])).seen);
    expect(parameters.of('a')).toEqual(region);
  });

  test('has ten seconds for all of its pages together', async () => {
    const { clock, parameters } = slow();
    const given: number[] = [];
    const inquire = (_method: string, _params: object, patienceMs: number) => {
      given.push(patienceMs);
      clock.advance(4000);
      return Promise.resolve(patienceMs > 4000 ? page([], 'more') : undefined);
    };
    await parameters.load({ talk: { inquire } } as unknown as Worker);
    expect(given).toEqual([10_000, 6000, 2000]);
  });
});
