import { FairLine } from './fair-line.ts';
import { createTurns, type TurnParts } from './turns.ts';

/** A seat is the right to have one process; there are `workers.max` of them for all tenants together. */
export interface Seats {
  /**
   * Take a seat for a tenant and start in it: `start` runs when a seat is free and fewer than `spawns` others are
   * starting. Both are given to the tenant that has the fewest, so that one with many wishes keeps nobody waiting.
   * When all seats are taken, the worker that has been idle longest is asked to leave; where all are busy, a tenant that
   * has none is made room for.
   * Resolves with undefined if, once there is a seat or it is its turn, it is not wanted any more.
   */
  take<Started>(
    tenantId: string,
    isWanted: () => boolean,
    start: () => Promise<Started>,
  ): Promise<Started | undefined>;
  /** A process of the tenant's is gone. */
  release(tenantId: string): void;
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

/** Only `spawns` processes start at once: more would only make each other slow. */
export interface SeatParts extends TurnParts {
  readonly max: number;
  /** Ask the worker idle longest to leave; undefined if all are busy. Settles when it is gone; its seat comes back through `release`. */
  readonly evict: () => Promise<void> | undefined;
  /** Have a busy worker of the tenant that has most of them finish its calls and leave; undefined if nobody has two. */
  readonly yieldOne: () => Promise<void> | undefined;
}

export function createSeats(parts: SeatParts): Seats {
  const { max } = parts;
  const inTurn = createTurns(parts);
  const line = new FairLine<Waiting>();
  const room = createRoomMaker(line, parts);
  let taken = 0;

  async function seat(tenantId: string, isWanted: () => boolean): Promise<boolean> {
    if (taken < max) {
      taken++;
      line.took(tenantId);
      return true;
    }
    const free = new Promise<boolean>((give) => line.wait(tenantId, { isWanted, give }));
    room.make();
    return free;
  }

  function release(tenantId: string): void {
    line.gaveBack(tenantId);
    if (!handOver(line)) taken--;
  }

  return {
    async take(tenantId, isWanted, start) {
      if (!(await seat(tenantId, isWanted))) return undefined;
      return inTurn(tenantId, () => {
        if (isWanted()) return start();
        release(tenantId);
        return Promise.resolve(undefined);
      });
    },
    becameIdle() {
      room.make();
    },
    release,
    get taken() {
      return taken;
    },
    max,
    get waiting() {
      return line.size;
    },
  };
}

/** Give a free seat to the next who still wants it; false if nobody does. */
function handOver(line: FairLine<Waiting>): boolean {
  for (let next = line.next(); next; next = line.next()) {
    const isWanted = next.waiting.isWanted();
    if (isWanted) line.took(next.tenantId);
    next.waiting.give(isWanted);
    if (isWanted) return true;
  }
  return false;
}

/** Asks so many to leave as are waited for, and not one more. */
function createRoomMaker(line: FairLine<Waiting>, { evict, yieldOne }: SeatParts): { make(): void } {
  /** Workers asked to leave that are still on their way out. */
  let leaving = 0;
  /** Tenants without a process for whom somebody finishes. */
  const promised = new Set<string>();
  let isMaking = false;

  function expect(gone: Promise<void>): Promise<void> {
    leaving++;
    return gone.then(() => {
      leaving--;
    });
  }

  function makeForQuiet(): void {
    for (const tenantId of line.waitingTenants()) {
      if (leaving >= line.size) return;
      if (line.heldBy(tenantId) > 0 || promised.has(tenantId)) continue;
      const gone = yieldOne();
      if (!gone) return;
      promised.add(tenantId);
      void expect(gone).then(() => promised.delete(tenantId));
    }
  }

  return {
    make() {
      // To be asked to leave is a change of state, which brings us here again.
      if (isMaking || leaving >= line.size) return;
      isMaking = true;
      for (let gone = evict(); gone; gone = leaving < line.size ? evict() : undefined) void expect(gone);
      makeForQuiet();
      isMaking = false;
    },
  };
}
