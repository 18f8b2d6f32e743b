import type { Clock } from '../time/clock.ts';
import { FairLine } from './fair-line.ts';

export interface TurnParts {
  /** So many at once. */
  readonly spawns: number;
  readonly clock: Pick<Clock, 'after'>;
}

/** Runs a start of a tenant's when it is its turn. Ends as the start does. */
export type InTurn = <Started>(tenantId: string, start: () => Promise<Started>) => Promise<Started>;

/** How long a start may keep others waiting, in milliseconds; the busy part of one is shorter. */
const turnMs = 3000;

/** Lets so many start at once, and those of the tenant first that has the fewest starting. */
export function createTurns({ spawns, clock }: TurnParts): InTurn {
  const line = new FairLine<() => void>();
  let running = 0;

  function begin(tenantId: string, run: () => Promise<unknown>): void {
    running++;
    line.took(tenantId);
    let isOver = false;
    const over = (): void => {
      if (isOver) return;
      isOver = true;
      running--;
      line.gaveBack(tenantId);
      line.next()?.waiting();
    };
    // Whoever takes longer goes on outside the line: a few servers that hang must not hold up everybody's.
    const stopTimer = clock.after(turnMs, over);
    run()
      .then(noop, noop)
      .finally(() => {
        stopTimer();
        over();
      });
  }

  return (tenantId, start) =>
    new Promise((resolve, reject) => {
      const run = async (): Promise<void> => {
        const started = start();
        started.then(resolve, reject);
        await started;
      };
      if (running < spawns) begin(tenantId, run);
      else line.wait(tenantId, () => begin(tenantId, run));
    });
}

const noop = () => undefined;
