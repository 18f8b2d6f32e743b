import type { PoolSettings } from './spec.ts';
import type { Worker } from './worker.ts';

/** How many calls may be on one worker at the same time. */
export function roomOf({ sharing, concurrency }: PoolSettings): number {
  return sharing === 'leased' ? 1 : concurrency;
}

/**
 * Which running worker may take a call of a session whose home is `home`, if any.
 * shared: many calls of many sessions at once, a session staying where it was while there is room.
 * leased: one call at a time, of any session. exclusive: the worker belongs to the session.
 */
export function fittingWorker(
  workers: Iterable<Worker>,
  home: Worker | undefined,
  settings: PoolSettings,
): Worker | undefined {
  if (settings.sharing === 'exclusive') return home?.isOpen ? home : undefined;
  const room = roomOf(settings);
  if (home && hasRoom(home, room)) return home;
  let best: Worker | undefined;
  for (const worker of workers) {
    if (hasRoom(worker, room) && (!best || worker.inFlight < best.inFlight)) best = worker;
  }
  return best;
}

const hasRoom = (worker: Worker, room: number) => worker.isOpen && worker.inFlight < room;
