import type { Caller } from '../calls/upstream.ts';
import type { Message } from '../mcp/message.ts';
import type { AttachedLine } from './attached-line.ts';
import type { Claim } from './sharing.ts';
import type { Sharing } from './spec.ts';
import type { Worker } from './worker.ts';

/** Who asks a pool for a worker: a session's line. */
export interface Seeker extends Claim {
  /** The worker the session lives on. */
  home: Worker | undefined;
  /** The client's own `initialize`, for a worker that is to be its alone; undefined: the greeting of the kind. */
  readonly initialize: Message | undefined;
  /** The session is over. */
  readonly isGone: boolean;
}

/** A session of a server, for what it hears of the worker it lives on. */
export interface Resident extends Seeker, AttachedLine {
  readonly caller: Caller;
  /** Where that one lives it lives too. */
  readonly leader: Seeker | undefined;
}

/** Whose worker it is that a session lives on, where each has one to itself. */
export const ownerOf = (resident: Resident): Seeker => resident.leader ?? resident;

/** A home among these workers for a session that has none there: it hears what is said on it, asked or not. */
export function giveHome(resident: Resident, workers: ReadonlySet<Worker>, sharing: Sharing): void {
  if (sharing === 'exclusive') return;
  const { home, kind } = resident;
  if (home && workers.has(home) && home.kind === kind) return;
  let best: Worker | undefined;
  for (const worker of workers) {
    if (worker.isOpen && worker.kind === kind && (!best || worker.inFlight < best.inFlight)) best = worker;
  }
  resident.home = best;
}

/** Their worker is gone: those who live nowhere move to one that is there. */
export function rehouse(residents: Iterable<Resident>, workers: ReadonlySet<Worker>, sharing: Sharing): void {
  for (const resident of residents) if (!resident.home) giveHome(resident, workers, sharing);
}
