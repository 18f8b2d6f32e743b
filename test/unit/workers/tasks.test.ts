import { describe, expect, test } from 'vitest';
import type { AttachedLine } from '../../../src/workers/attached-line.ts';
import { TaskBook, taskIdOf } from '../../../src/workers/tasks.ts';
import type { Worker } from '../../../src/workers/worker.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { messageOf } from '../calls/some-call.ts';
import { createListener } from './some-talk.ts';

const hour = 3_600_000;

/** A worker that runs no process: it says which tasks keep it, and lists these pages of tasks. */
function createKeeper(...pages: readonly object[]) {
  const kept = new Set<string>();
  const asked: unknown[] = [];
  const facts = { state: 'idle', isReachable: true };
  const worker = {
    beginTask: (id: string) => kept.add(id),
    endTask: (id: string) => kept.delete(id),
    talk: {
      inquire: (method: string, params: object) => {
        asked.push([method, params]);
        const result = pages[asked.length - 1];
        return Promise.resolve(result && messageOf({ id: 1, result }));
      },
    },
  };
  return { worker: Object.assign(facts, worker) as unknown as Worker, facts, kept, asked };
}

/** A book, a worker of serial 7, and sessions of two keys. */
function createBook(keeper = createKeeper()) {
  const clock = createFakeClock();
  const book = new TaskBook(clock, (serial) => (serial === 7 ? keeper.worker : undefined));
  const [ada, bob] = [createListener().line, createListener({ keyName: 'bob' }).line];
  const note = (task: unknown, line: AttachedLine = ada, serial = 7) =>
    book.note(serial, line, messageOf({ id: 1, result: { task } }));
  return { ...keeper, clock, book, ada, bob, note };
}

describe('a task', () => {
  test('is its key’s, and keeps its worker; nobody else finds it', () => {
    const { book, ada, note, worker, kept } = createBook();
    note({ taskId: 't1' });
    expect([...kept]).toEqual(['t1']);
    expect(book.workerOf('t1', 'ada')).toBe(worker);
    expect(book.workerOf('t1', 'bob')).toBeUndefined();
    expect(book.ownerOf('t1')).toBe('ada');
    expect(book.lineOf('t1')).toBe(ada);
    for (const found of [book.workerOf('t2', 'ada'), book.ownerOf('t2'), book.lineOf('t2')])
      expect(found).toBeUndefined();
  });

  test('that another has cannot be had by naming it again', () => {
    const { book, bob, ada, note } = createBook();
    note({ taskId: 't1' });
    note({ taskId: 't1' }, bob);
    expect(book.ownerOf('t1')).toBe('ada');
    expect(book.lineOf('t1')).toBe(ada);
  });

  test.each([[null], ['t1'], [[]], [{}], [{ taskId: 1 }]])('is not begun by %j', (task) => {
    const { note, kept } = createBook();
    note(task);
    expect(kept.size).toBe(0);
  });

  test('is not begun by an answer without one, nor by a worker that is not there', () => {
    const { book, ada, note, kept } = createBook();
    book.note(7, ada, messageOf({ id: 1, result: { content: [] } }));
    note({ taskId: 't1' }, ada, 8);
    expect(kept.size).toBe(0);
    expect(book.ownerOf('t1')).toBeUndefined();
  });

  test.each([
    [60_000, 60_000],
    [undefined, hour],
    [null, hour],
    [0, hour],
    [-1, hour],
    [2 * hour, hour],
  ])('with the ttl %j is kept for %i ms', (ttl, keptMs) => {
    const { book, clock, note, kept } = createBook();
    note({ taskId: 't1', ttl });
    clock.advance(keptMs - 1);
    expect(book.ownerOf('t1')).toBe('ada');
    expect(kept.size).toBe(1);
    clock.advance(1);
    expect(kept.size).toBe(0);
    expect(book.ownerOf('t1')).toBeUndefined();
  });

  test('is gone with its worker, and its name is free', () => {
    const { book, bob, facts, note } = createBook();
    note({ taskId: 't1' });
    facts.state = 'gone';
    expect(book.ownerOf('t1')).toBeUndefined();
    facts.state = 'idle';
    note({ taskId: 't1' }, bob);
    expect(book.ownerOf('t1')).toBe('bob');
  });

  test('that has the name of one before it is kept as long as any other', () => {
    const { book, bob, facts, clock, note, kept } = createBook();
    note({ taskId: 't1' });
    book.heard({ taskId: 't1', status: 'completed' });
    facts.state = 'gone';
    clock.advance(200_000);
    expect(book.ownerOf('t1')).toBeUndefined();
    facts.state = 'idle';
    note({ taskId: 't1' }, bob);
    clock.advance(100_000);
    expect(kept.size).toBe(1);
    clock.advance(hour - 300_000);
    expect(book.ownerOf('t1')).toBe('bob');
    expect(kept.size).toBe(1);
  });

  test('has no worker while that cannot be reached, and no session once that is over', () => {
    const { book, ada, facts, note } = createBook();
    note({ taskId: 't1' });
    facts.isReachable = false;
    expect(book.workerOf('t1', 'ada')).toBeUndefined();
    Object.assign(ada, { isGone: true });
    expect(book.lineOf('t1')).toBeUndefined();
    expect(book.ownerOf('t1')).toBe('ada');
  });

  test('goes with the session that asked for it; those of others stay', () => {
    const { book, ada, bob, note, kept } = createBook();
    note({ taskId: 't1' });
    note({ taskId: 't2' }, bob);
    note({ taskId: 't3' });
    book.abandon(ada);
    expect([...kept]).toEqual(['t2']);
    expect(['t1', 't2', 't3'].map((id) => book.ownerOf(id))).toEqual([undefined, 'bob', undefined]);
  });
});

describe('the worker of a task that is over', () => {
  test.each(['completed', 'failed'])('is kept for five minutes where it %s, and no longer', (status) => {
    const { book, clock, note, kept } = createBook();
    note({ taskId: 't1' });
    book.heard({ taskId: 't1', status });
    clock.advance(200_000);
    // What is over is over: it can be cancelled no more.
    book.heard({ taskId: 't1', status: 'cancelled' });
    clock.advance(99_999);
    expect(kept.size).toBe(1);
    clock.advance(1);
    expect(kept.size).toBe(0);
    expect(book.ownerOf('t1')).toBe('ada');
  });

  test('is kept no longer once it was cancelled, or its result was fetched', () => {
    const { book, note, kept } = createBook();
    for (const taskId of ['t1', 't2', 't3']) note({ taskId });
    book.heard({ taskId: 't1', status: 'cancelled' });
    book.fetched('t2');
    expect([...kept]).toEqual(['t3']);
  });

  test('is kept while it works, and whatever is said that says nothing', () => {
    const { book, clock, note, kept } = createBook();
    note({ taskId: 't1' });
    for (const said of [{ taskId: 't1', status: 'working' }, { taskId: 't2', status: 'failed' }, null, 't1'])
      book.heard(said);
    clock.advance(300_000);
    expect([...kept]).toEqual(['t1']);
  });
});

test('of more than ten thousand tasks the oldest is dropped', () => {
  const { book, note, kept } = createBook();
  for (let id = 0; id <= 10_000; id++) note({ taskId: `t${id}` });
  expect(kept.size).toBe(10_000);
  expect([book.ownerOf('t0'), book.ownerOf('t1')]).toEqual([undefined, 'ada']);
});

describe('a list', () => {
  test('has the tasks of its key and no other’s, of all pages', async () => {
    const { book, bob, asked, note } = createBook(
      createKeeper(
        { tasks: [{ taskId: 't1' }, { taskId: 'unknown' }, 't1', null], nextCursor: 'c' },
        { tasks: [{ taskId: 't2' }, { taskId: 't3', status: 'working' }] },
      ),
    );
    note({ taskId: 't1' });
    note({ taskId: 't2' }, bob);
    note({ taskId: 't3' });
    expect(await book.list('ada')).toEqual([{ taskId: 't1' }, { taskId: 't3', status: 'working' }]);
    expect(asked).toEqual([
      ['tasks/list', {}],
      ['tasks/list', { cursor: 'c' }],
    ]);
  });

  test('asks only workers that have tasks of the key', async () => {
    const { book, asked, note } = createBook();
    note({ taskId: 't1' });
    expect(await book.list('bob')).toEqual([]);
    expect(asked).toEqual([]);
  });

  test('ends where a worker answers nothing, nonsense, without end, or cannot be reached', async () => {
    for (const pages of [[], [{ tasks: 'none', nextCursor: 'c' }]]) {
      const { book, note, asked } = createBook(createKeeper(...pages));
      note({ taskId: 't1' });
      expect(await book.list('ada')).toEqual([]);
      expect(asked).toHaveLength(1);
    }
    const endless = Array.from({ length: 30 }, () => ({ tasks: [], nextCursor: 'c' }));
    const { book, note, asked, facts } = createBook(createKeeper(...endless));
    note({ taskId: 't1' });
    await book.list('ada');
    expect(asked).toHaveLength(20);
    facts.isReachable = false;
    await book.list('ada');
    expect(asked).toHaveLength(20);
  });
});

test('the task a message names', () => {
  expect(taskIdOf(messageOf({ method: 'tasks/cancel', params: { taskId: 't1' } }))).toBe('t1');
});
