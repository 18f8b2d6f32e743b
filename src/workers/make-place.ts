import type { WorkerKind } from './kind.ts';
import type { Worker } from './worker.ts';

/**
 * A pool is full, and calls wait for a worker of `kind` of which there is none, or none that may take them: an idle
 * worker leaves; if there is none of `kind` and all others are busy, one of those finishes its calls and leaves.
 * False if nobody has to.
 */
export function makePlace(workers: Iterable<Worker>, kind: WorkerKind): boolean {
  let hasKind = false;
  let quietest: Worker | undefined;
  for (const worker of workers) {
    // Had it been of use to those who wait, they would be on it.
    if (worker.state === 'idle' && worker.liveTasks.size === 0) {
      worker.stop('another client needed its place');
      return true;
    }
    if (worker.state !== 'busy') continue;
    if (worker.kind === kind) hasKind = true;
    else if (!quietest || worker.inFlight < quietest.inFlight) quietest = worker;
  }
  if (hasKind || !quietest) return false;
  quietest.drain('another kind of client needed its place');
  return true;
}
