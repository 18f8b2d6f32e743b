import PQueue from 'p-queue';

/** A seat is the right to have one process; there are `workers.max` of them for all tenants together. */
export interface Seats {
  /**
   * Take a seat and start in it: `start` runs when a seat is free and fewer than `spawns` others are starting.
   * When all seats are taken, the worker that has been idle longest is asked to leave.
   * Resolves with undefined if a seat comes free and is not wanted any more.
   */
  take<Started>(isWanted: () => boolean, start: () => Promise<Started>): Promise<Started | undefined>;
  /** The process is gone. */
  release(): void;
  /** A worker became idle: if somebody waits for a seat, it may have to leave. */
  becameIdle(): void;
  readonly taken: number;
  readonly max: number;
  readonly waiting: number;
}

interface Waiting {
  readonly isWanted: () => boolean;
  readonly give: (seat: boolean) => void;
}

export interface SeatParts {
  readonly max: number;
  /** Processes starting at once: more would only make each other slow. */
  readonly spawns: number;
  /** Ask the worker idle longest to leave; undefined if all are busy. Settles when it is gone; its seat comes back through `release`. */
  readonly evict: () => Promise<void> | undefined;
}

/** How long a start may keep others waiting, in milliseconds; the busy part of one is shorter. */
const turnMs = 3000;

export function createSeats({ max, spawns, evict }: SeatParts): Seats {
  const starting = new PQueue({ concurrency: spawns });
  const waiting: Waiting[] = [];
  let taken = 0;
  /** Workers asked to leave that are still on their way out. */
  let leaving = 0;
  let isMakingRoom = false;

  function makeRoom(): void {
    // To be asked to leave is a change of state, which brings us here again.
    if (isMakingRoom) return;
    isMakingRoom = true;
    while (leaving < waiting.length) {
      const gone = evict();
      if (!gone) break;
      leaving++;
      void gone.then(() => leaving--);
    }
    isMakingRoom = false;
  }

  async function seat(isWanted: () => boolean): Promise<boolean> {
    if (taken < max) {
      taken++;
      return true;
    }
    const free = new Promise<boolean>((give) => waiting.push({ isWanted, give }));
    makeRoom();
    return free;
  }

  return {
    async take(isWanted, start) {
      if (!(await seat(isWanted))) return undefined;
      return inTurn(starting, start);
    },
    becameIdle() {
      if (waiting.length > leaving) makeRoom();
    },
    release() {
      if (!handOver(waiting)) taken--;
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

function inTurn<Started>(starting: PQueue, start: () => Promise<Started>): Promise<Started> {
  return new Promise((resolve, reject) => {
    const turn = async () => {
      const started = start();
      started.then(resolve, reject);
      await started;
    };
    // Whoever takes longer goes on outside the queue: a few servers that hang must not hold up everybody's.
    starting.add(turn, { timeout: turnMs }).catch(() => undefined);
  });
}

/** Give a free seat to the first who still wants it; false if nobody does. */
function handOver(waiting: Waiting[]): boolean {
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const isWanted = next.isWanted();
    next.give(isWanted);
    if (isWanted) return true;
  }
  return false;
}
