import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { openRawSession, type RawSession } from '../support/raw-session.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

/** Tasks of 2025-11-25 on workers that others use too, and that are replaced. */
const keyOf = (name: string) => `mcpx_test_tasks_${name}`;
const listed = ['ada', 'grace']
  .map((name) => `{ name: ${name}, sha256: ${createHash('sha256').update(keyOf(name)).digest('hex')} }`)
  .join(', ');
const yaml = (id: string, pool: string, env = {}) =>
  tenantYaml(
    id,
    'legacy-everything',
    `pool: { max: 1, ${pool} }\ndeadline: { call: 400ms, max: 20s }\nkeys: [${listed}]`,
    env,
  );
/** A key belongs to one tenant. */
const proxies: RunningProxy[] = [];
async function proxyOf(pool: string): Promise<RunningProxy> {
  const tenants = { acme: yaml('acme', pool) };
  const proxy = await startProxy({ tenants, config: 'workers: { sweepEvery: 50ms }' });
  proxies.push(proxy);
  return proxy;
}
let leased: RunningProxy;
beforeAll(async () => {
  leased = await proxyOf('sharing: leased');
});
afterAll(() => Promise.all(proxies.map((proxy) => proxy.stop())));

interface Answer {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number };
}
const ask = async (session: RawSession, method: string, params: object) =>
  JSON.parse(await session.ask(method, params)) as Answer;
async function begin(session: RawSession, ms: number): Promise<string> {
  const { result } = await ask(session, 'tools/call', {
    name: 'work',
    arguments: { ms },
    task: { ttl: 60_000 },
  });
  return (result?.['task'] as { taskId: string }).taskId;
}
const worked = { result: { content: [{ type: 'text', text: 'worked' }] } };
const pidsOf = async (proxy: RunningProxy) =>
  (await proxy.status()).tenants[0]!.workers.map(({ pid, state }) => ({ pid, state }));

test('who waits for a result waits longer than a call may be silent', async () => {
  const ada = await openRawSession(leased.url, keyOf('ada'));
  const taskId = await begin(ada, 900);
  expect(await ask(ada, 'tasks/result', { taskId })).toMatchObject(worked);
});

test('who waits for a result takes neither the worker nor its questions from another key', async () => {
  const ada = await openRawSession(leased.url, keyOf('ada'), { capabilities: { elicitation: {} } });
  const grace = await openRawSession(leased.url, keyOf('grace'), { capabilities: { elicitation: {} } });
  const taskId = await begin(ada, 1500);
  const fetching = ask(ada, 'tasks/result', { taskId });
  await eventually(async () => (await leased.status()).tenants[0]!.inFlight === 1);
  const call = await grace.begin('elicit');
  const question = await eventually(() => call.messages.find((text) => text.includes('elicitation/create')));
  expect(await ask(ada, 'tasks/get', { taskId })).toMatchObject({ result: { taskId, status: 'working' } });
  const { id } = JSON.parse(question) as { id: number };
  await grace.post(`{"jsonrpc":"2.0","id":${id},"result":{"action":"decline"}}`);
  await call.ended;
  expect(call.messages.at(-1)).toContain('decline');
  expect(await fetching).toMatchObject(worked);
});

describe('a worker with a task', () => {
  test.each([
    ['that has answered as many calls as it may', 'maxRequests: 1', () => Promise.resolve()],
    [
      'whose settings were changed',
      'sharing: shared',
      async (proxy: RunningProxy) => {
        proxy.write('acme', yaml('acme', 'sharing: shared', { NEW: '1' }));
        await proxy.reload();
      },
    ],
    ['that is a session\u2019s own, and old', 'sharing: exclusive, maxLifetime: 1s', () => Promise.resolve()],
  ] as const)('%s is kept until it was fetched, while new calls go to another', async (_, pool, replace) => {
    const proxy = await proxyOf(pool);
    const ada = await openRawSession(proxy.url, keyOf('ada'));
    const taskId = await begin(ada, 2000);
    const [old] = await pidsOf(proxy);
    await replace(proxy);
    await eventually(async () => {
      await ada.text('echo', { text: 'new' });
      const workers = await pidsOf(proxy);
      return workers.length > 1 && workers.some(({ pid, state }) => pid === old!.pid && state === 'draining');
    });
    expect(await ask(ada, 'tasks/get', { taskId })).toMatchObject({ result: { taskId } });
    expect(await ask(ada, 'tasks/result', { taskId })).toMatchObject(worked);
    await eventually(async () => (await pidsOf(proxy)).every(({ pid }) => pid !== old!.pid));
  });
});
