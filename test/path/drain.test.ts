import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { connect, initializeBody } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { ask, atOnce, codeOf, isRunning, openGuest } from '../support/guest.ts';
import {
  processesWith,
  type RunningProxy,
  startProxy,
  type StartOptions,
  tenantYaml,
} from '../support/start-proxy.ts';

/** The end: what has begun is finished, what is new is refused, and nothing is left behind. */
const config = 'workers: { sweepEvery: 50ms, stopGrace: 300ms }';
const proxies: RunningProxy[] = [];
const markOf = (name: string) => `drain-${name}-${process.pid}`;

async function start(options: StartOptions): Promise<RunningProxy> {
  const proxy = await startProxy({ config, ...options });
  proxies.push(proxy);
  return proxy;
}

afterEach(async () => {
  for (const proxy of proxies.splice(0)) {
    proxy.signal('SIGKILL');
    await proxy.stop();
  }
});

const inFlight = async (proxy: RunningProxy, count: number) =>
  eventually(async () => (await proxy.status()).totals.inFlight === count);

interface KeptAnswer {
  readonly status: number | undefined;
  readonly retryAfter: string | undefined;
  readonly connection: string | undefined;
  readonly text: string;
  /** Which connection it came on. */
  readonly localPort: number | undefined;
}

/** A POST of a tool call on the one connection of `agent`, which `fetch` would not promise. */
function callOn(agent: Agent, proxy: RunningProxy, session: string, args: object): Promise<KeptAnswer> {
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: args };
  const headers = {
    authorization: `Bearer ${proxy.keys['acme']!}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-session-id': session,
  };
  return new Promise((resolve, reject) => {
    const asked = request(proxy.url, { method: 'POST', agent, headers }, (response: IncomingMessage) => {
      // Afterwards the agent takes the socket back.
      const { localPort } = response.socket;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({
          status: response.statusCode,
          retryAfter: response.headers['retry-after'],
          connection: response.headers.connection,
          text: Buffer.concat(chunks).toString('utf8'),
          localPort,
        });
      });
    });
    asked.on('error', reject).end(JSON.stringify(body));
  });
}

describe('SIGTERM', () => {
  test('lets calls in flight finish, refuses new ones, and leaves nothing', async () => {
    const mark = markOf('gentle');
    const proxy = await start({ tenants: { acme: tenantYaml('acme', 'echo', '', { MARK: mark }) } });
    const guest = await openGuest(proxy, 'acme');
    const childPid = await guest.pid();
    const long = atOnce(5, () => guest.call('sleep', { ms: 2500 }));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const short = callOn(agent, proxy, guest.session, { name: 'sleep', arguments: { ms: 800 } });
    await inFlight(proxy, 6);

    const signalledAt = performance.now();
    proxy.signal('SIGTERM');
    const draining = await proxy.logged(({ event }) => event === 'proxy.draining');
    expect(draining).toMatchObject({ reason: 'SIGTERM', inFlight: 6 });
    const finished = await short;
    expect(finished).toMatchObject({ status: 200 });
    expect(finished.text).toContain('slept 800');

    // The same connection, still open: what comes on it now has not begun.
    const late = await callOn(agent, proxy, guest.session, { name: 'echo', arguments: {} });
    expect(late).toMatchObject({ status: 503, connection: 'close', localPort: finished.localPort });
    expect(late.text).toContain('"code":"DRAINING","executed":"no"');
    expect(Number(late.retryAfter)).toBeGreaterThanOrEqual(1);
    // And no new connection is taken at all.
    await expect(callOn(new Agent(), proxy, guest.session, { name: 'echo' })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });

    expect((await long).map(codeOf)).toEqual(Array<string>(5).fill('ok'));
    expect(await proxy.exited).toBe(0);
    expect(performance.now() - signalledAt).toBeLessThan(15_000);
    expect(await proxy.logged(({ event }) => event === 'proxy.stopped')).toMatchObject({ cutCalls: 0 });
    expect(isRunning(childPid)).toBe(false);
    expect(processesWith(mark)).toEqual([]);
    expect(existsSync(path.join(proxy.dir, 'admin.sock'))).toBe(false);
    agent.destroy();
  });

  test('ends streams that listen, and processes that do not want to end, with all their children', async () => {
    const mark = markOf('stubborn');
    const env = { MARK: mark };
    const proxy = await start({
      tenants: {
        stubborn: tenantYaml('stubborn', 'stubborn', '', { ...env, GRANDCHILD_HOLDS: '1' }),
        acme: tenantYaml('acme', 'echo', '', env),
      },
    });
    const listener = await connect(proxy.url, proxy.keys['acme']!);
    await listener.ping();
    const guest = await openGuest(proxy, 'stubborn');
    const pids = [await guest.pid(), await guest.pid('grandchild')];
    expect(pids.map(isRunning)).toEqual([true, true]);
    expect(processesWith(mark)).toEqual(expect.arrayContaining(pids));

    const signalledAt = performance.now();
    proxy.signal('SIGTERM');
    expect(await proxy.exited).toBe(0);
    expect(performance.now() - signalledAt).toBeLessThan(10_000);
    // A signal takes a moment to arrive, no more.
    await eventually(() => !pids.some(isRunning), 1000);
    expect(processesWith(mark)).toEqual([]);
    expect(existsSync(path.join(proxy.dir, 'admin.sock'))).toBe(false);
    await listener.close();
  });

  test('starts nothing any more for those who gave up waiting', async () => {
    const mark = markOf('given-up');
    const late = tenantYaml('late', 'stubborn', '  startTimeout: 300ms\npool: { wait: 300ms }', {
      MARK: mark,
    });
    const proxy = await start({
      tenants: { acme: tenantYaml('acme', 'echo', '', { MARK: mark }), late },
      config: 'workers: { max: 1, sweepEvery: 50ms, stopGrace: 300ms }',
    });
    const guest = await openGuest(proxy, 'acme');
    const held = guest.call('sleep', { ms: 1500 });
    await inFlight(proxy, 1);
    const refused = await ask(proxy.url, proxy.keys['late']!, initializeBody());
    expect(codeOf(refused)).toBe('OVERLOADED');
    proxy.signal('SIGTERM');
    expect(codeOf(await held)).toBe('ok');
    expect(await proxy.exited).toBe(0);
    await eventually(() => processesWith(mark).length === 0, 2000);
  });

  test('waits for a process that is starting for a call, and answers it', async () => {
    const mark = markOf('starting');
    const env = { MARK: mark, START_MS: '1000' };
    const proxy = await start({ tenants: { slow: tenantYaml('slow', 'slow-start', '', env) } });
    const opening = ask(proxy.url, proxy.keys['slow']!, initializeBody());
    await proxy.logged(({ event }) => event === 'worker.spawned');
    proxy.signal('SIGTERM');
    expect(codeOf(await opening)).toBe('ok');
    expect(await proxy.exited).toBe(0);
    await eventually(() => processesWith(mark).length === 0, 1000);
  });

  test('ends a process that is starting for nobody', async () => {
    const mark = markOf('warming');
    const env = { MARK: mark, START_MS: '60000' };
    const proxy = await start({
      tenants: { slow: tenantYaml('slow', 'slow-start', 'pool: { min: 1 }', env) },
    });
    await proxy.logged(({ event }) => event === 'worker.spawned');
    const signalledAt = performance.now();
    proxy.signal('SIGTERM');
    expect(await proxy.exited).toBe(0);
    expect(performance.now() - signalledAt).toBeLessThan(10_000);
    await eventually(() => processesWith(mark).length === 0, 1000);
  });

  test('a second time does not wait for anything', async () => {
    const mark = markOf('impatient');
    const proxy = await start({
      tenants: {
        acme: tenantYaml('acme', 'echo', '', { MARK: mark }),
        stubborn: tenantYaml('stubborn', 'stubborn', '', { MARK: mark }),
      },
    });
    const [guest, stubborn] = [await openGuest(proxy, 'acme'), await openGuest(proxy, 'stubborn')];
    const hanging = guest.call('hang').catch((thrown: unknown) => thrown);
    await stubborn.pid();
    await inFlight(proxy, 1);
    proxy.signal('SIGTERM');
    await proxy.logged(({ event }) => event === 'proxy.draining');
    const signalledAt = performance.now();
    proxy.signal('SIGTERM');
    expect(await proxy.exited).toBe(143);
    expect(performance.now() - signalledAt).toBeLessThan(2000);
    await eventually(() => processesWith(mark).length === 0, 2000);
    expect(await hanging).toBeInstanceOf(Error);
  });
});

describe('SIGKILL', () => {
  test('servers notice and go; port and socket can be had by the next proxy', async () => {
    const mark = markOf('killed');
    const proxy = await start({ tenants: { acme: tenantYaml('acme', 'echo', '', { MARK: mark }) } });
    const childPid = await (await openGuest(proxy, 'acme')).pid();
    const socket = path.join(proxy.dir, 'admin.sock');
    proxy.signal('SIGKILL');
    await proxy.exited;
    await eventually(() => !isRunning(childPid), 3000);
    expect(processesWith(mark)).toEqual([]);
    // Nobody was there to take it away.
    expect(existsSync(socket)).toBe(true);

    const next = serveAgain(proxy);
    try {
      const { url } = await eventually(() => proxy.status().catch(() => undefined));
      expect(url).toBe(proxy.url);
      // The client's address and key are good as before; only sessions were lost.
      const guest = await openGuest(proxy, 'acme');
      expect(await guest.call('add', { a: 5, b: 5 })).toMatchObject({ status: 200, text: '10' });
    } finally {
      next.kill('SIGTERM');
    }
    expect(await new Promise((resolve) => next.once('exit', resolve))).toBe(0);
    expect(existsSync(socket)).toBe(false);
    expect(processesWith(mark)).toEqual([]);
  });
});

/** Another proxy in the place of one that is gone: same folder, same port. */
function serveAgain({ configFile, dir, url }: RunningProxy): ChildProcess {
  const cli = path.resolve(import.meta.dirname, '../../dist/cli/main.js');
  const args = [cli, 'serve', '--config', configFile, '--port', new URL(url).port];
  const { PATH = '', HOME = '' } = process.env;
  return spawn(process.execPath, args, { cwd: dir, env: { PATH, HOME }, stdio: 'ignore' });
}
