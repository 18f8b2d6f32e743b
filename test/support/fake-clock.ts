import type { Clock } from '../../src/time/clock.ts';

export interface FakeClock extends Clock {
  /** Let `ms` pass: everything due by then runs, the earliest first, each at its own moment. */
  advance(ms: number): void;
}

interface Timer {
  readonly dueAt: number;
  readonly run: () => void;
}

/** Does not start at 0, so that a moment taken for a duration shows. */
const startsAt = 1_000_000;
const wallStartsAt = Date.UTC(2026, 0, 1);

/** A clock that stands still until it is told to go on. */
export function createFakeClock(): FakeClock {
  let now = startsAt;
  const timers = new Set<Timer>();

  function nextDue(by: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of timers) {
      if (timer.dueAt <= by && (!next || timer.dueAt < next.dueAt)) next = timer;
    }
    return next;
  }

  return {
    now: () => now,
    wall: () => wallStartsAt + (now - startsAt),
    after(ms, run) {
      const timer = { dueAt: now + ms, run };
      timers.add(timer);
      return () => {
        timers.delete(timer);
      };
    },
    advance(ms) {
      const end = now + ms;
      for (let timer = nextDue(end); timer; timer = nextDue(end)) {
        timers.delete(timer);
        now = Math.max(now, timer.dueAt);
        timer.run();
      }
      now = end;
    },
  };
}
