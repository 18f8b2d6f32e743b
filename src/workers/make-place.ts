import type { WorkerKind } from './kind.ts';
import type { Worker } from './worker.ts';

/**
 * A pool is full, and calls wait for a worker of `kind` of which there is none, or none that may take them: an idle
 * worker leaves; if there is none of `kind` but such as are of no use to one who waits, or none at all, and all others
 * are busy, one of those finishes its calls and leaves. False if nobody has to.
 */
export function makePlace(
  workers: Iterable<Worker>,
  kind: WorkerKind,
  isUseless: (worker: Worker) => boolean = () => false,
): boolean {
  const all = [...workers];
  // Had it been of use to those who wait, they would be on it.
  const idle = all.find(({ state, liveTasks }) => state === 'idle' && liveTasks.size === 0);
  if (idle) {
    idle.stop('another client needed its place');
    return true;
  }
  const busy = all.filter(({ state }) => state === 'busy').toSorted((a, b) => a.inFlight - b.inFlight);
  const ofKind = busy.filter((worker) => worker.kind === kind);
  if (!ofKind.every(isUseless)) return false;
  const [useless] = ofKind;
  const [quietest] = busy;
  if (useless) useless.drain('it may still be at work on a call that was given up, and others wait');
  else quietest?.drain('another kind of client needed its place');
  return quietest !== undefined;
}
