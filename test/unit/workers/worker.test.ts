import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { ProxyError } from '../../../src/calls/error.ts';
import { plainKind } from '../../../src/workers/kind.ts';
import type { Child, Exit } from '../../../src/workers/launch.ts';
import { Worker } from '../../../src/workers/worker.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { someCall } from '../calls/some-call.ts';
import { createListener } from './some-talk.ts';
import { someSpec } from './some-worker.ts';

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const over: Exit = { exitCode: 0, signal: undefined, cause: undefined };
const facts = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 's', version: '1' } };

/** A worker whose process is this test: what it says, which signals it gets, when it ends. */
function createEmployee() {
  const clock = createFakeClock();
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const signals: string[] = [];
  const told: string[] = [];
  let exit: (exit: Exit) => void = () => undefined;
  const child: Child = {
    pid: 1,
    group: 1,
    stdin,
    stdout,
    stderr: new PassThrough(),
    exit: new Promise<Exit>((resolve) => (exit = resolve)),
    lastWords: Promise.resolve(),
    signalGroup: (signal) => void signals.push(signal),
  };
  const worker = new Worker({
    spec: someSpec([]),
    clock,
    child,
    stopGrace: 1000,
    kind: plainKind,
    greeting: plainKind.greeting,
    listener: {
      request: () => undefined,
      notification: ({ state }, { method }) => void told.push(`${method} ${state}`),
      changed: ({ state }) => void told.push(`changed ${state}`),
      misbehaved: (_worker, reason) => void told.push(reason),
      reported: () => undefined,
      gone: (_worker, _exit, cutCalls) => void told.push(`gone ${cutCalls}`),
    },
  });
  const { line } = createListener();
  let lastId = 1;
  const say = (...messages: readonly object[]) =>
    stdout.write(messages.map((each) => `${JSON.stringify({ jsonrpc: '2.0', ...each })}\n`).join(''));
  return {
    worker,
    clock,
    signals,
    told,
    stdin,
    stdout,
    say: async (...messages: readonly object[]) => {
      say(...messages);
      await settled();
    },
    open: async () => {
      const opened = worker.handshake();
      say({ id: 1, result: facts });
      await opened;
    },
    /** Put a call on it; its id there, and how it ends. */
    put: () => {
      const call = someCall();
      const ending = worker.exchange({ call, line, edits: [] }, (_, idText) => idText);
      ending.catch(() => undefined);
      return { call, ending, id: ++lastId };
    },
    end: async (how = over) => {
      stdout.end();
      exit(how);
      await worker.ended;
    },
  };
}

describe('a worker', () => {
  test('is idle, busy and idle again, and idle since its last answer', async () => {
    const { worker, clock, open, put, say, told } = createEmployee();
    expect([worker.state, worker.isOpen]).toEqual(['starting', false]);
    clock.advance(100);
    await open();
    expect([worker.state, worker.isOpen, worker.idleSince]).toEqual(['idle', true, clock.now()]);
    const { call, id } = put();
    expect([worker.state, worker.calls, call.dispatched, call.heardAt]).toEqual([
      'busy',
      1,
      true,
      clock.now(),
    ]);
    clock.advance(500);
    await say({ id, result: {} });
    expect([worker.state, worker.idleSince, told]).toEqual(['idle', clock.now(), ['changed idle']]);
  });

  test('that was told to leave while it started does not open', async () => {
    const { worker, open } = createEmployee();
    const opening = open();
    worker.stop('nobody wants it');
    await opening;
    expect([worker.state, worker.isOpen]).toEqual(['stopping', false]);
  });

  test('finishes its calls before it leaves, takes no new ones, and can be asked about tasks meanwhile', async () => {
    const { worker, open, put, say, stdin } = createEmployee();
    await open();
    const [a, b] = [put(), put()];
    worker.drain('it was old');
    expect([worker.state, worker.isOpen, worker.isReachable]).toEqual(['draining', false, true]);
    await say({ id: a.id, result: {} });
    expect([worker.state, stdin.writableEnded]).toEqual(['draining', false]);
    await say({ id: b.id, result: {} });
    await settled();
    expect([worker.state, worker.stopReason, worker.isReachable]).toEqual(['stopping', 'it was old', false]);
    expect(stdin.writableEnded).toBe(true);
    expect(worker.hasFailed).toBe(false);
  });

  test('stays for tasks until all are fetched, and a quarter of an hour at most', async () => {
    for (const isFetched of [true, false]) {
      const { worker, open, clock } = createEmployee();
      await open();
      for (const id of ['t1', 't2']) worker.beginTask(id);
      expect(worker.isListenedTo).toBe(true);
      worker.drain('it was old');
      worker.endTask('t1');
      clock.advance(899_999);
      expect(worker.state).toBe('draining');
      if (isFetched) worker.endTask('t2');
      else clock.advance(1);
      expect(worker.state).toBe('stopping');
    }
    const { worker, open } = createEmployee();
    await open();
    worker.beginTask('t1');
    worker.drain('the proxy stops', false);
    expect(worker.state).toBe('stopping');
  });

  test('that does not go when its stdin ends is told to, and then killed', async () => {
    const { worker, open, clock, signals, told } = createEmployee();
    await open();
    worker.stop('it was idle');
    worker.stop('again');
    worker.drain('once more');
    expect([told, worker.stopReason]).toEqual([['changed stopping'], 'it was idle']);
    clock.advance(999);
    expect(signals).toEqual([]);
    clock.advance(1);
    expect(signals).toEqual(['SIGTERM']);
    clock.advance(999);
    expect(signals).toHaveLength(1);
    clock.advance(1);
    expect(signals).toEqual(['SIGTERM', 'SIGKILL']);
  });

  test('that is gone has its group killed once, and takes its calls with it', async () => {
    const { worker, open, put, clock, signals, told, end } = createEmployee();
    await open();
    const { ending } = put();
    worker.stop('it was idle');
    await end({ ...over, exitCode: 3 });
    await expect(ending).rejects.toMatchObject({ code: 'CRASHED' });
    expect([signals, told.at(-1), worker.state, worker.exit?.exitCode]).toEqual([
      ['SIGKILL'],
      'gone 1',
      'gone',
      3,
    ]);
    clock.advance(10_000);
    worker.kill('late');
    expect(signals).toEqual(['SIGKILL']);
  });

  test('that ended by itself has failed', async () => {
    const { worker, open, end } = createEmployee();
    await open();
    await end();
    expect([worker.hasFailed, worker.stopReason]).toEqual([true, undefined]);
  });
});

describe('a worker that broke the rules', () => {
  test('is believed no more, not even what it says in the same breath', async () => {
    const { worker, open, put, say, told, signals, end } = createEmployee();
    await open();
    const { ending, id } = put();
    await say(
      { id: 99, result: {} },
      { id, result: {} },
      { method: 'notifications/x' },
      { id: 98, result: {} },
    );
    expect(told).toEqual(['it answered a request that was never made']);
    expect(signals).toEqual(['SIGKILL']);
    expect([worker.state, worker.hasFailed]).toEqual(['stopping', true]);
    await end();
    await expect(ending).rejects.toThrow(
      new ProxyError(
        'BAD_REPLY',
        'The server was stopped because it answered a request that was never made; the tool may have run',
      ),
    );
  });

  test('has failed also where it was on its way out, and before it was open ran no tool', async () => {
    const { worker, say, put, end } = createEmployee();
    const { ending } = put();
    await say({ id: 99, result: {} });
    await end();
    await expect(ending).rejects.toThrow(/never made$/);
    const other = createEmployee();
    await other.open();
    other.worker.stop('it was idle');
    await other.say({ id: 99, result: {} });
    expect([other.worker.hasFailed, other.worker.stopReason]).toEqual([true, 'it was idle']);
    expect(worker.state).toBe('gone');
  });

  test('is one whose message is broken; a banner is none', async () => {
    const { open, stdout, told } = createEmployee();
    await open();
    stdout.write('listening on stdio\n');
    await settled();
    expect(told).toEqual([]);
    stdout.write('{"jsonrpc":"2.0","id":\n');
    await settled();
    expect(told).toEqual(['it wrote a broken message']);
  });
});
