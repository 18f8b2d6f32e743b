import type { Clock } from '../time/clock.ts';

/**
 * What a child may say, in units: a line is one, and each 8 KiB of it one more. So many at once and so many a second; each
 * message it is sent gives it some more, so that what answers calls is never near its end.
 */
const budget = { most: 5000, perSecond: 5000, perMessage: 50, bytesPerUnit: 8192 };

/** Counts what is heard from one child, so that one that babbles takes no time from others. */
export interface ListeningBudget {
  /** It said a line of so many bytes. */
  readonly heard: (bytes: number) => void;
  /** It was sent a message. */
  readonly sent: () => void;
  /** How long it should be left unheard, in milliseconds; 0: not at all. */
  readonly overdrawnMs: () => number;
}

export function createListeningBudget(clock: Clock): ListeningBudget {
  let left = budget.most;
  let since = clock.now();
  const add = (units: number): void => void (left = Math.min(budget.most, left + units));
  return {
    heard: (bytes) => void (left -= 1 + bytes / budget.bytesPerUnit),
    sent: () => add(budget.perMessage),
    overdrawnMs() {
      const now = clock.now();
      add(((now - since) * budget.perSecond) / 1000);
      since = now;
      return left >= 0 ? 0 : Math.ceil((-left / budget.perSecond) * 1000);
    },
  };
}
