import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { openRawSession, type RawSession } from '../support/raw-session.ts';
import { type RunningProxy, startProxy } from '../support/start-proxy.ts';

const everything = path.join(
  path.dirname(
    createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/package.json'),
  ),
  'dist/index.js',
);
const keys = ['ada', 'grace'].map((name) => ({ name, key: `mcpx_test_${name}` }));
const listed = keys.map(({ name, key }) => {
  const sha256 = createHash('sha256').update(key).digest('hex');
  return `{ name: ${name}, sha256: ${sha256} }`;
});
const tenant = `tenant: acme\nserver: { command: node, args: ["${everything}"] }\npool: { max: 1, idle: 200ms }\nkeys: [${listed.join(', ')}]\n`;

let proxy: RunningProxy;
let ada: RawSession;
let grace: RawSession;

beforeAll(async () => {
  proxy = await startProxy({ tenants: { acme: tenant }, config: 'workers: { sweepEvery: 50ms }' });
  [ada, grace] = await Promise.all([
    openRawSession(proxy.url, keys[0]!.key),
    openRawSession(proxy.url, keys[1]!.key),
  ]);
});

afterAll(() => proxy.stop());

interface Answer {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number };
}
const ask = async (session: RawSession, method: string, params: object) =>
  JSON.parse(await session.ask(method, params)) as Answer;

/** A tool of the reference server that takes seconds and can be called as a task (2025-11-25). */
const start = async (session: RawSession): Promise<string> => {
  const { result } = await ask(session, 'tools/call', {
    name: 'simulate-research-query',
    arguments: { topic: 'walls' },
    task: { ttl: 60_000 },
  });
  return (result?.['task'] as { taskId: string }).taskId;
};

describe('tasks of sessions that share a worker', () => {
  test('are whose they are: another key can neither see, nor fetch, nor end them', async () => {
    const taskId = await start(ada);
    expect(await ask(ada, 'tasks/get', { taskId })).toMatchObject({ result: { taskId } });
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel'])
      expect(await ask(grace, method, { taskId })).toMatchObject({ error: { code: -32602 } });
    const list = async (session: RawSession) => (await ask(session, 'tasks/list', {})).result?.['tasks'];
    expect(await list(ada)).toMatchObject([{ taskId }]);
    expect(await list(grace)).toEqual([]);
  });

  test('keep their worker, however idle it is, until they are over', async () => {
    const taskId = await start(ada);
    const { workers } = (await proxy.status()).tenants[0]!;
    await eventually(
      async () => (await ask(ada, 'tasks/get', { taskId })).result?.['status'] === 'completed',
      30_000,
    );
    expect((await proxy.status()).tenants[0]!.workers[0]!.pid).toBe(workers[0]!.pid);
    expect(await ask(ada, 'tasks/result', { taskId })).toMatchObject({
      result: { content: [{ type: 'text' }] },
    });
  });
});
