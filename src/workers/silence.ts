import type { Clock } from '../time/clock.ts';

/** Tells a server that is slow from one that hangs. */
export interface Silence {
  /** A call that was put on the worker at `putAt` got no answer in its time. */
  timedOut(putAt: number): void;
  /** The worker said something, whatever it was. */
  broken(): void;
}

/** So many calls in a row without a byte from the worker make it suspect. */
const maxTimeouts = 3;
/** How long a suspect may take to answer a ping, in milliseconds. */
const pingMs = 5000;

/** `ask` sends the worker a ping; `hung` is told if not even that is answered. */
export function createSilence(
  clock: Clock,
  { ask, hung }: { readonly ask: () => void; readonly hung: (reason: string) => void },
): Silence {
  let timeouts = 0;
  let heardAt = Number.NEGATIVE_INFINITY;
  return {
    timedOut(putAt) {
      if (heardAt >= putAt) return;
      timeouts++;
      if (timeouts !== maxTimeouts) return;
      const askedAt = clock.now();
      ask();
      clock.after(pingMs, () => {
        if (heardAt < askedAt) hung('it answers nothing any more, not even a ping');
      });
    },
    broken() {
      timeouts = 0;
      heardAt = clock.now();
    },
  };
}
