import type { Exit } from './launch.ts';
import { factsOf, type StartParts } from './start-worker.ts';
import type { Worker, WorkerListener } from './worker.ts';

/** What a worker does that only has to be told. */
export function tellings(
  start: Pick<StartParts, 'tenantId' | 'spec' | 'tools'>,
): Pick<WorkerListener, 'misbehaved' | 'reported'> {
  const { announce } = start.tools;
  return {
    misbehaved: (worker, reason) => {
      announce({ type: 'worker.misbehaved', ...factsOf(start, worker), reason });
    },
    reported: (worker, report) => {
      announce({ type: 'security.reported', ...factsOf(start, worker), ...report });
    },
  };
}

export interface Ending {
  readonly exit: Exit;
  readonly cutCalls: number;
  readonly ageMs: number;
  readonly reason: string;
}

export function tellExit(start: StartParts, worker: Worker, { exit, ...ending }: Ending): void {
  const { exitCode, signal } = exit;
  const { calls } = worker;
  start.tools.announce({
    type: 'worker.exited',
    ...factsOf(start, worker),
    exitCode,
    signal,
    calls,
    ...ending,
  });
}

/** In milliseconds. */
export function ageOf({ tools }: StartParts, { startedAt }: Worker): number {
  return Math.round(tools.clock.now() - startedAt);
}
