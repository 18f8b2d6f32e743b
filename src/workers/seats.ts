import PQueue from 'p-queue';

/** A seat is the right to have one process; there are `workers.max` of them for all tenants together. */
export interface Seats {
  /**
   * Take a seat and start in it: `start` runs when a seat is free and fewer than `spawns` others are starting.
   * When all seats are taken, the worker that has been idle longest is asked to leave.
   */
  take<Started>(start: () => Promise<Started>): Promise<Started>;
  /** The process is gone. */
  release(): void;
  /** A worker became idle: if somebody waits for a seat, it may have to leave. */
  becameIdle(): void;
  readonly taken: number;
  readonly max: number;
  readonly waiting: number;
}

export interface SeatParts {
  readonly max: number;
  /** Processes starting at once: more would only make each other slow. */
  readonly spawns: number;
  /** Ask the worker idle longest to leave; undefined if all are busy. Settles when it is gone; its seat comes back through `release`. */
  readonly evict: () => Promise<void> | undefined;
}

export function createSeats({ max, spawns, evict }: SeatParts): Seats {
  const starting = new PQueue({ concurrency: spawns });
  const waiting: (() => void)[] = [];
  let taken = 0;
  /** Workers asked to leave that are still on their way out. */
  let leaving = 0;

  function makeRoom(): void {
    while (leaving < waiting.length) {
      const gone = evict();
      if (!gone) return;
      leaving++;
      void gone.then(() => leaving--);
    }
  }

  async function seat(): Promise<void> {
    if (taken < max) {
      taken++;
      return;
    }
    const free = new Promise<void>((resolve) => waiting.push(resolve));
    makeRoom();
    await free;
  }

  return {
    async take(start) {
      await seat();
      return starting.add(start);
    },
    becameIdle() {
      if (waiting.length > leaving) makeRoom();
    },
    release() {
      const next = waiting.shift();
      if (next) next();
      else taken--;
    },
    get taken() {
      return taken;
    },
    max,
    get waiting() {
      return waiting.length;
    },
  };
}
