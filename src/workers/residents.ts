import type { Message } from '../mcp/message.ts';
import type { AttachedLine } from './attached-line.ts';
import { fittingWorker } from './sharing.ts';
import type { PoolSettings } from './spec.ts';
import type { Worker } from './worker.ts';

/** Who asks a pool for a worker: a session's line. */
export interface Seeker {
  /** The worker the session lives on. */
  home: Worker | undefined;
  /** The client's own `initialize`, for a worker that is to be its alone. */
  readonly initialize: Message;
  /** The session is over. */
  readonly isGone: boolean;
}

/** A session of a server, for what it hears of the worker it lives on. */
export interface Resident extends Seeker, AttachedLine {}

/** A home among these workers for a session that has none there: it hears what is said on it, asked or not. */
export function giveHome(resident: Resident, workers: ReadonlySet<Worker>, settings: PoolSettings): void {
  if (settings.sharing === 'exclusive') return;
  if (resident.home && workers.has(resident.home)) return;
  resident.home = fittingWorker(workers, undefined, settings);
}
