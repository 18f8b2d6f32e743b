import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Unreached } from '../../../../../src/workers/sandbox/egress/egress-messages.ts';
import { connectionsEach, openPassage } from '../../../../../src/workers/sandbox/egress/passage.ts';
import { eventually } from '../../../../support/eventually.ts';

/** Real sockets; only the lookup of names is ours: `localhost` is what a list may name on every machine. */
const servers: Server[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const server of servers.splice(0)) server.close();
});

async function listening(server: Server, host = '127.0.0.1'): Promise<number> {
  servers.push(server);
  await once(server.listen(0, host), 'listening');
  return (server.address() as { port: number }).port;
}

async function passage(
  port: number,
  { host = 'localhost', resolve = () => Promise.resolve(['127.0.0.1']), allowed = 256 } = {},
) {
  const told: Unreached[] = [];
  const open = new Set<Socket>();
  const listener = createServer();
  const unreached = (each: Unreached) => told.push(each);
  openPassage(listener, { to: { host, port }, resolve, open, allowed: () => allowed, unreached });
  const at = await listening(listener);
  const visit = (): Socket => connect({ port: at, host: '127.0.0.1', allowHalfOpen: true });
  return { told, open, visit, listener };
}

const failureOf = async (socket: Socket): Promise<unknown> => {
  const [error] = (await once(socket.resume(), 'error')) as [{ code: string }];
  return error.code;
};

describe('a passage', () => {
  test('is open in one direction after it was closed in the other', async () => {
    const port = await listening(
      createServer({ allowHalfOpen: true }, (socket) => {
        let heard = '';
        socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
        socket.once('end', () => socket.end(`heard ${heard}`));
      }),
    );
    const { visit, open } = await passage(port);
    const socket = visit();
    socket.end('all I have');
    expect(await text(socket)).toBe('heard all I have');
    await eventually(() => open.size === 0);
  });

  test('takes no more from one side than the other takes, and loses nothing', async () => {
    const most = 64 * 1024 ** 2;
    let taken: Socket | undefined;
    const port = await listening(createServer({ pauseOnConnect: true }, (socket) => (taken = socket)));
    const { visit } = await passage(port);
    const socket = visit();
    const piece = Buffer.alloc(1024 ** 2, 7);
    for (let n = 0; n < most / piece.length; n++) socket.write(piece);
    socket.end();
    const reader = await eventually(() => taken);
    // It stands still: what is under way is in the kernel's buffers and ours, which are smaller than this by far.
    let before = -1;
    await eventually(() => {
      const isStill = before === socket.writableLength && before < most;
      before = socket.writableLength;
      return isStill;
    });
    expect(before).toBeGreaterThan(most / 4);
    expect((await buffer(reader)).length).toBe(most);
    socket.destroy();
  });

  test('ends on both sides when one breaks off', async () => {
    const taken: Socket[] = [];
    const port = await listening(createServer((socket) => taken.push(socket.on('error', () => undefined))));
    const { visit, open } = await passage(port);
    const [first, second] = [visit(), visit()];
    const outer = await eventually(() => taken.length === 2 && taken);
    const failures = [failureOf(first), failureOf(second)];
    for (const socket of outer) socket.resetAndDestroy();
    expect(await Promise.all(failures)).toEqual(['ECONNRESET', 'ECONNRESET']);
    const third = visit();
    const last = await eventually(() => taken[2]);
    third.destroy();
    await once(last.resume(), 'close');
    await eventually(() => open.size === 0);
  });

  test('tells the far side that its client broke off: what came until then is not all', async () => {
    let outer: Socket | undefined;
    const port = await listening(createServer((socket) => (outer = socket)));
    const { visit } = await passage(port);
    const client = visit();
    client.write('half of i');
    const far = await eventually(() => outer);
    await once(far, 'data');
    const failure = failureOf(far);
    client.resetAndDestroy();
    expect(await failure).toBe('ECONNRESET');
  });

  test('goes to an address that was looked at, and of several to the first that answers', async () => {
    let came = 0;
    const port = await listening(createServer((socket) => socket.end(String(++came))));
    // Nobody listens on the second; the first may not be gone to at all.
    const resolve = () => Promise.resolve(['10.0.0.1', '127.0.0.2', '127.0.0.1']);
    const { visit, told } = await passage(port, { resolve });
    expect(await text(visit())).toBe('1');
    expect(told).toEqual([]);
  });

  test.each([
    ['127.0.0.1', /resolves to 127.0.0.1, where no allow-list leads/],
    ['169.254.169.254', /resolves to 169.254.169.254/],
    ['::1', /resolves to ::1/],
  ])('is closed where a name has come to lead to %s, and that is told once', async (address, reason) => {
    let came = 0;
    const port = await listening(createServer(() => came++));
    const { visit, told } = await passage(port, {
      host: 'db.internal',
      resolve: () => Promise.resolve([address]),
    });
    expect(await failureOf(visit())).toBe('ECONNRESET');
    expect(await failureOf(visit())).toBe('ECONNRESET');
    expect(told).toEqual([
      { host: 'db.internal', port, reason: expect.stringMatching(reason) as string, suppressed: 0 },
    ]);
    expect(came).toBe(0);
  });

  test('that is closed is told of every ten seconds, and how often it was not', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { visit, told } = await passage(1, { host: 'db.internal' });
    const closed = async (times: number) => {
      for (let n = 0; n < times; n++) expect(await failureOf(visit())).toBe('ECONNRESET');
    };
    const suppressed = () => told.map((each) => each.suppressed);
    await closed(3);
    vi.advanceTimersByTime(9999);
    await closed(1);
    expect(suppressed()).toEqual([0]);
    vi.advanceTimersByTime(1);
    await closed(2);
    expect(suppressed()).toEqual([0, 3]);
    vi.advanceTimersByTime(10_000);
    await closed(1);
    expect(suppressed()).toEqual([0, 3, 1]);
  });

  test('is closed where nobody listens, or the name is not known', async () => {
    const gone = createServer();
    const port = await listening(gone);
    gone.close();
    const nobody = await passage(port);
    expect(await failureOf(nobody.visit())).toBe('ECONNRESET');
    expect(nobody.told[0]?.reason).toBe('127.0.0.1 does not take the connection (ECONNREFUSED)');
    const unknown = await passage(port, {
      resolve: () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })),
    });
    expect(await failureOf(unknown.visit())).toBe('ECONNRESET');
    expect(unknown.told[0]?.reason).toBe('the name cannot be looked up (ENOTFOUND)');
  });

  test('lets nobody in who is one too many, says so, and lets in the next once another has left', async () => {
    let came = 0;
    const port = await listening(
      createServer((socket) => {
        came++;
        socket.on('error', () => undefined);
      }),
    );
    const { visit, told, open } = await passage(port, { allowed: 2 });
    const [first] = [visit(), visit()];
    await eventually(() => open.size === 2);
    expect(await failureOf(visit())).toBe('ECONNRESET');
    expect(told).toEqual([
      { host: 'localhost', port, reason: 'it has 2 connections already', suppressed: 0 },
    ]);
    first.destroy();
    await eventually(() => open.size === 1);
    const next = visit();
    await eventually(() => open.size === 2);
    expect(next.destroyed).toBe(false);
    next.write('x');
    // Who was not let in did not get out either: it would have come before the next.
    await eventually(() => came >= 3);
    expect(came).toBe(3);
  });

  test('goes on where nothing could be accepted for a moment', async () => {
    const port = await listening(createServer((socket) => socket.end('here')));
    const { visit, listener } = await passage(port);
    expect(await text(visit())).toBe('here');
    // As Node tells of it where there are no descriptors left.
    listener.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE', syscall: 'accept' }));
    expect(await text(visit())).toBe('here');
  });
});

test.each([
  [1, 524_288, 256],
  [32, 524_288, 256],
  [64, 524_288, 128],
  [200, 524_288, 40],
  [5000, 524_288, 8],
  [1, 1024, 256],
  [4, 1024, 64],
  [1, Infinity, 256],
])(
  '%i servers, where a process may have %i descriptors, have %i connections each',
  (servers, files, each) => {
    expect(connectionsEach(servers, files)).toBe(each);
  },
);
