import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSeats, type SeatParts } from '../../../src/workers/seats.ts';
import { systemClock } from '../../../src/time/clock.ts';

/** Nobody gives up a busy worker, unless told so. */
const someSeats = (parts: Pick<SeatParts, 'max' | 'spawns' | 'evict'> & Partial<SeatParts>) =>
  createSeats({ clock: systemClock, yieldOne: () => undefined, ...parts });

/** Lets everything that waits for nothing but its turn go on. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Starts that end when the test says so. */
function createStarts() {
  const begun: string[] = [];
  const finish = new Map<string, () => void>();
  const start = (name: string) => () => {
    begun.push(name);
    return new Promise<string>((resolve) => finish.set(name, () => resolve(name)));
  };
  return { begun, start, finish: (name: string) => finish.get(name)!() };
}
const wanted = () => true;
const atOnce = () => Promise.resolve('started');
/** All are busy: nobody can be asked to leave. */
const nobody = () => undefined;
/** A worker that was asked, and takes its time. */
const leaving = () => new Promise<void>(() => undefined);

describe('a free seat', () => {
  test('is taken at once, and what was started comes back', async () => {
    const seats = someSeats({ max: 2, spawns: 1, evict: nobody });
    expect(await seats.take('acme', wanted, atOnce)).toBe('started');
    expect(seats).toMatchObject({ taken: 1, max: 2, waiting: 0 });
    seats.release('acme');
    expect(seats.taken).toBe(0);
  });

  test('asks nobody to leave', async () => {
    const seats = someSeats({ max: 2, spawns: 1, evict: () => expect.unreachable('there was room') });
    await seats.take('acme', wanted, atOnce);
    seats.becameIdle();
    await seats.take('acme', wanted, atOnce);
  });

  test('a failed start is the caller’s to know, and its seat the caller’s to release', async () => {
    const seats = someSeats({ max: 1, spawns: 1, evict: nobody });
    await expect(seats.take('acme', wanted, () => Promise.reject(new Error('ENOENT')))).rejects.toThrow(
      'ENOENT',
    );
    expect(seats.taken).toBe(1);
    seats.release('acme');
    await seats.take('acme', wanted, atOnce);
  });
});

test('only so many start at once, the others when one has started', async () => {
  const { begun, start, finish } = createStarts();
  const seats = someSeats({ max: 10, spawns: 2, evict: nobody });
  const all = ['a', 'b', 'c'].map((name) => seats.take('acme', wanted, start(name)));
  await settled();
  expect(begun).toEqual(['a', 'b']);
  finish('b');
  await settled();
  expect(begun).toEqual(['a', 'b', 'c']);
  finish('a');
  finish('c');
  expect(await Promise.all(all)).toEqual(['a', 'b', 'c']);
});

test('what nobody wants any more when its turn comes is not started, and its seat is free again', async () => {
  const { begun, start, finish } = createStarts();
  const seats = someSeats({ max: 10, spawns: 1, evict: nobody });
  let isWanted = true;
  const first = seats.take('acme', wanted, start('first'));
  const later = seats.take('acme', () => isWanted, start('later'));
  const last = seats.take('acme', wanted, start('last'));
  await settled();
  expect(seats.taken).toBe(3);
  isWanted = false;
  finish('first');
  expect(await later).toBeUndefined();
  await settled();
  expect(begun).toEqual(['first', 'last']);
  expect(seats.taken).toBe(2);
  finish('last');
  expect(await Promise.all([first, last])).toEqual(['first', 'last']);
});

describe('when all seats are taken', () => {
  test('one waits, and is first come first served', async () => {
    const { begun, start } = createStarts();
    const seats = someSeats({ max: 1, spawns: 5, evict: nobody });
    await seats.take('acme', wanted, atOnce);
    for (const name of ['a', 'b']) void seats.take('acme', wanted, start(name));
    await settled();
    expect(begun).toEqual([]);
    expect(seats.waiting).toBe(2);
    seats.release('acme');
    await settled();
    expect(begun).toEqual(['a']);
    expect(seats).toMatchObject({ taken: 1, waiting: 1 });
    seats.release('acme');
    await settled();
    expect(begun).toEqual(['a', 'b']);
  });

  test('one idle worker is asked to leave for each that waits, and not one more', async () => {
    let asked = 0;
    const evict = () => {
      asked++;
      return leaving();
    };
    const seats = someSeats({ max: 2, spawns: 5, evict });
    await seats.take('acme', wanted, atOnce);
    await seats.take('acme', wanted, atOnce);
    const waiting = [seats.take('acme', wanted, atOnce)];
    expect(asked).toBe(1);
    seats.becameIdle();
    expect(asked).toBe(1);
    waiting.push(seats.take('acme', wanted, atOnce));
    expect(asked).toBe(2);
    seats.release('acme');
    seats.release('acme');
    await Promise.all(waiting);
    seats.becameIdle();
    expect(asked).toBe(2);
  });

  test('and several become idle at once, each of them is asked that is waited for', async () => {
    let idle = 0;
    const evict = () => (idle-- > 0 ? leaving() : undefined);
    const seats = someSeats({ max: 3, spawns: 5, evict });
    for (let nth = 0; nth < 3; nth++) await seats.take('acme', wanted, atOnce);
    for (let nth = 0; nth < 2; nth++) void seats.take('acme', wanted, atOnce);
    idle = 3;
    seats.becameIdle();
    expect(idle).toBe(1);
  });

  test('and all are busy, the first to become idle is asked', async () => {
    let idle = 0;
    const evict = () => (idle-- > 0 ? leaving() : undefined);
    const seats = someSeats({ max: 1, spawns: 5, evict });
    await seats.take('acme', wanted, atOnce);
    const waiting = seats.take('acme', wanted, atOnce);
    await settled();
    idle = 1;
    seats.becameIdle();
    expect(idle).toBe(0);
    seats.release('acme');
    await waiting;
  });

  test('a worker that ends by itself serves as well as one that was asked', async () => {
    let asked = 0;
    const evict = () => {
      asked++;
      return leaving();
    };
    const seats = someSeats({ max: 2, spawns: 5, evict });
    await seats.take('acme', wanted, atOnce);
    await seats.take('acme', wanted, atOnce);
    const waiting = seats.take('acme', wanted, atOnce);
    seats.release('acme');
    await waiting;
    // The one that was asked is still on its way out: whoever comes next waits for its seat.
    const next = seats.take('acme', wanted, atOnce);
    seats.release('acme');
    await next;
    expect(asked).toBe(1);
  });
});

test('there are never more processes than seats, and nobody waits beside a free one', async () => {
  const step = fc.constantFrom<'take' | 'end' | 'idle'>('take', 'take', 'end', 'idle');
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 40 }),
      async (max, steps) => {
        let running = 0;
        const asked: (() => void)[] = [];
        let asking = 0;
        let ended = 0;
        const evict = () =>
          asked.length < running ? new Promise<void>((resolve) => asked.push(resolve)) : undefined;
        const seats = someSeats({ max, spawns: 2, evict });
        const start = () => {
          expect(++running).toBeLessThanOrEqual(max);
          return Promise.resolve();
        };
        for (const what of steps) {
          if (what === 'take') {
            asking++;
            void seats.take('acme', wanted, start);
          } else if (what === 'idle') {
            seats.becameIdle();
          } else if (running > 0) {
            running--;
            ended++;
            asked.shift()?.();
            seats.release('acme');
          }
          await settled();
          expect(seats.taken).toBe(running);
          expect(running).toBe(Math.min(max, asking - ended));
          expect(seats.waiting).toBe(asking - ended - running);
        }
      },
    ),
  );
});

test('a seat that comes too late is not taken', async () => {
  let isWanted = true;
  const seats = someSeats({ max: 1, spawns: 5, evict: nobody });
  await seats.take('acme', wanted, atOnce);
  const late = seats.take(
    'acme',
    () => isWanted,
    () => expect.unreachable('nobody wants it'),
  );
  isWanted = false;
  seats.release('acme');
  expect(await late).toBeUndefined();
  expect(seats).toMatchObject({ taken: 0, waiting: 0 });
});

test('who did not take a seat that came too late holds none, and is made room for the next time', async () => {
  let yielded = 0;
  const yieldOne = () => {
    yielded++;
    return Promise.resolve();
  };
  let isWanted = true;
  const seats = someSeats({ max: 1, spawns: 5, evict: nobody, yieldOne });
  await seats.take('busy', wanted, atOnce);
  const late = seats.take('late', () => isWanted, atOnce);
  isWanted = false;
  seats.release('busy');
  expect(await late).toBeUndefined();
  await seats.take('busy', wanted, atOnce);
  void seats.take('late', wanted, atOnce);
  expect(yielded).toBe(2);
});

test('one who leaves and says so does not make another leave', async () => {
  let asked = 0;
  const evict = () => {
    asked++;
    seats.becameIdle();
    return leaving();
  };
  const seats = someSeats({ max: 2, spawns: 5, evict });
  await seats.take('acme', wanted, atOnce);
  await seats.take('acme', wanted, atOnce);
  void seats.take('acme', wanted, atOnce);
  await settled();
  expect(asked).toBe(1);
});

describe('between tenants', () => {
  test('a start of one that has none starting comes before the many of another', async () => {
    const { begun, start, finish } = createStarts();
    const seats = someSeats({ max: 20, spawns: 2, evict: nobody });
    for (let nth = 0; nth < 5; nth++) void seats.take('greedy', wanted, start(`greedy ${nth}`));
    void seats.take('quiet', wanted, start('quiet'));
    await settled();
    expect(begun).toEqual(['greedy 0', 'greedy 1']);
    finish('greedy 0');
    await settled();
    expect(begun).toEqual(['greedy 0', 'greedy 1', 'quiet']);
  });

  test('a free seat goes to who has the fewest', async () => {
    const seats = someSeats({ max: 3, spawns: 5, evict: nobody });
    const begun: string[] = [];
    const start = (name: string) => () => Promise.resolve(begun.push(name));
    for (let nth = 0; nth < 3; nth++) await seats.take('greedy', wanted, start('greedy'));
    void seats.take('greedy', wanted, start('greedy again'));
    void seats.take('quiet', wanted, start('quiet'));
    seats.release('greedy');
    await settled();
    expect(begun.slice(3)).toEqual(['quiet']);
  });

  test('where all are busy, one is made room for that has nothing, once, and who has something is not', async () => {
    let yielded = 0;
    let gone: () => void = () => undefined;
    const yieldOne = () => {
      yielded++;
      return new Promise<void>((resolve) => (gone = resolve));
    };
    const seats = someSeats({ max: 2, spawns: 5, evict: nobody, yieldOne });
    await seats.take('greedy', wanted, atOnce);
    await seats.take('greedy', wanted, atOnce);
    void seats.take('greedy', wanted, atOnce);
    expect(yielded).toBe(0);
    const waiting = seats.take('quiet', wanted, atOnce);
    void seats.take('quiet', wanted, atOnce);
    seats.becameIdle();
    expect(yielded).toBe(1);
    gone();
    seats.release('greedy');
    expect(await waiting).toBe('started');
    seats.becameIdle();
    expect(yielded).toBe(1);
  });

  test('who was made room for and has nothing again is made room for again', async () => {
    const gone: (() => void)[] = [];
    const yieldOne = () => new Promise<void>((resolve) => gone.push(resolve));
    const seats = someSeats({ max: 2, spawns: 5, evict: nobody, yieldOne });
    for (let nth = 0; nth < 2; nth++) await seats.take('greedy', wanted, atOnce);
    for (let round = 1; round <= 2; round++) {
      const waiting = seats.take('quiet', wanted, atOnce);
      expect(gone).toHaveLength(round);
      gone.at(-1)!();
      seats.release('greedy');
      expect(await waiting).toBe('started');
      await settled();
      seats.release('quiet');
      await seats.take('greedy', wanted, atOnce);
    }
  });

  test('who could not be made room for is when somebody can', async () => {
    let isTwo = false;
    let yielded = 0;
    const yieldOne = () => {
      if (!isTwo) return undefined;
      yielded++;
      return leaving();
    };
    const seats = someSeats({ max: 1, spawns: 5, evict: nobody, yieldOne });
    await seats.take('busy', wanted, atOnce);
    for (const tenant of ['quiet', 'shy']) void seats.take(tenant, wanted, atOnce);
    isTwo = true;
    seats.becameIdle();
    expect(yielded).toBe(2);
  });

  test('no busy worker has to finish for whom an idle one leaves already', async () => {
    const evicted = [leaving()];
    let yielded = 0;
    const yieldOne = () => {
      yielded++;
      return leaving();
    };
    const seats = someSeats({ max: 1, spawns: 5, evict: () => evicted.pop(), yieldOne });
    await seats.take('busy', wanted, atOnce);
    void seats.take('quiet', wanted, atOnce);
    seats.becameIdle();
    expect(yielded).toBe(0);
  });
});

test('who has left is no longer on its way out: the next that waits has another asked', async () => {
  const gone: (() => void)[] = [];
  const evict = () => new Promise<void>((resolve) => gone.push(resolve));
  const seats = someSeats({ max: 1, spawns: 5, evict });
  await seats.take('acme', wanted, atOnce);
  for (let round = 1; round <= 3; round++) {
    const waiting = seats.take('acme', wanted, atOnce);
    expect(gone).toHaveLength(round);
    gone.at(-1)!();
    seats.release('acme');
    await waiting;
    await settled();
  }
});
