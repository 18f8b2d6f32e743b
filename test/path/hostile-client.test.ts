import { Agent, request } from 'node:http';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { initializeBody } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { atOnce, codeOf, openGuest, type Guest } from '../support/guest.ts';
import { mcpHeaders, openRawSession } from '../support/raw-session.ts';
import { openRawSocket, requestText } from '../support/raw-socket.ts';
import { residentMiB } from '../support/resident-memory.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

/** A client with a valid key that means harm, and one without: what they can do is bounded, and a neighbour goes on. */
const MiB = 1024 ** 2;
let proxy: RunningProxy;
let neighbour: Guest;

beforeAll(async () => {
  proxy = await startProxy({
    tenants: {
      eve: tenantYaml('eve', 'echo', 'pool: { max: 1, concurrency: 50, queue: 200 }'),
      acme: tenantYaml('acme', 'echo'),
    },
    config: 'sessions: { maxPerTenant: 20 }',
  });
  neighbour = await openGuest(proxy, 'acme');
  await neighbour.pid();
});

afterAll(() => proxy.stop());

const eve = () => proxy.keys['eve']!;
const rowOf = async (id: string) => (await proxy.status()).tenants.find((row) => row.id === id)!;
const heldMiB = () => residentMiB(proxy.pid);

/** The neighbour asks one thing after the other while `work` is done; every answer must be its own. */
async function besideNeighbour<Value>(work: () => Promise<Value>): Promise<Value> {
  const state = { isOver: false };
  const asking = (async () => {
    for (let nth = 0; !state.isOver; nth++) {
      expect(await neighbour.call('add', { a: nth, b: 1 })).toMatchObject({ text: String(nth + 1) });
    }
  })();
  try {
    return await work();
  } finally {
    state.isOver = true;
    await asking;
  }
}

describe('a client that opens sessions and never comes back', () => {
  test('has so many as its tenant may, and its oldest make room', async () => {
    const first = await openRawSession(proxy.url, eve());
    await besideNeighbour(() => atOnce(60, () => openRawSession(proxy.url, eve())));
    expect((await rowOf('eve')).sessions).toBeLessThanOrEqual(20);
    expect((await first.post('{"jsonrpc":"2.0","id":1,"method":"ping"}')).status).toBe(404);
    expect((await rowOf('acme')).sessions).toBe(1);
  });
});

describe('a client that calls and calls off, again and again', () => {
  test('has each call ended once, its server lives, and the next call is answered', async () => {
    const session = await openRawSession(proxy.url, eve());
    const before = await session.call('whoami');
    await besideNeighbour(() =>
      atOnce(300, async (nth) => {
        const id = `storm-${nth}`;
        const params = { name: 'sleep', arguments: { ms: 1500 } };
        const asked = session.post(JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params }));
        const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } };
        await session.post(JSON.stringify(cancelled));
        const exchange = await asked;
        // A call that came after its own cancellation, or found the queue full, has an answer; the others have none.
        await session.post(JSON.stringify(cancelled));
        await exchange.ended;
        expect(exchange.messages.length).toBeLessThanOrEqual(1);
      }),
    );
    await eventually(async () => (await rowOf('eve')).inFlight === 0);
    expect(await session.call('whoami')).toEqual(before);
  });
});

describe('a client that asks for much and reads nothing', () => {
  const unread = 30;
  const bytes = 4 * MiB;

  test('costs what it asked for and no more, and gives it back when it is gone', async () => {
    const session = await openRawSession(proxy.url, eve());
    const before = heldMiB();
    const params = { name: 'big', arguments: { bytes } };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
    const { host } = new URL(proxy.url);
    const headers = mcpHeaders(eve(), { Host: host, 'Mcp-Session-Id': session.id });
    const lines = [
      ...Object.entries(headers).map((pair) => pair.join(': ')),
      `Content-Length: ${body.length}`,
    ];
    const sockets = await atOnce(unread, () => openRawSocket(proxy.url));
    await besideNeighbour(async () => {
      for (const socket of sockets) {
        socket.pause();
        // Asked ten times over on each connection: what is not read is not answered further.
        socket.write(requestText(lines, body).repeat(10));
      }
      const isHeld = async () => (await rowOf('eve')).inFlight === 0 && heldMiB() > before + 20;
      await eventually(isHeld, 25_000);
    });
    expect(heldMiB()).toBeLessThan(before + (unread * bytes * 3) / MiB);
    for (const socket of sockets) socket.destroy();
    await eventually(async () => (await rowOf('eve')).inFlight === 0);
    expect(codeOf(await (await openGuest(proxy, 'eve')).call('echo'))).toBe('ok');
  });
});

describe('a stranger that tries keys', () => {
  /** `npm run soak` has more patience. */
  const tries = process.env['SOAK'] === undefined ? 2000 : 100_000;

  test('is refused each time, soon told to wait, is no line of the log each time, and leaves nothing behind in memory', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 32 });
    const body = JSON.stringify(initializeBody());
    const attempt = (key: string) =>
      new Promise<number>((resolve, reject) => {
        const asked = request(proxy.url, { method: 'POST', agent, headers: mcpHeaders(key) }, (answer) => {
          answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
        });
        asked.once('error', reject).end(body);
      });
    const linesBefore = proxy.logs.length;
    const statuses = new Set<number>();
    const held: number[] = [];
    await besideNeighbour(async () => {
      for (let round = 0; round < 10; round++) {
        const guesses = Array.from({ length: tries / 10 }, () =>
          attempt(`mcpx_${randomBytes(6).toString('hex')}_${randomBytes(32).toString('hex')}`),
        );
        for (const status of await Promise.all(guesses)) statuses.add(status);
        held.push(heldMiB());
      }
    });
    agent.destroy();
    expect([...statuses].sort()).toEqual([401, 429]);
    // Its own key, from the same address, was let in all the while, and is now.
    expect(codeOf(await (await openGuest(proxy, 'eve')).call('echo'))).toBe('ok');
    expect(held.at(-1)! - held[1]!).toBeLessThan(30);
    const told = proxy.logs.slice(linesBefore).filter(({ event }) => event === 'auth.refused');
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThan(10);
    expect(proxy.logs.slice(linesBefore).some(({ event }) => event === 'auth.limited')).toBe(true);
  }, 600_000);
});
