import { type ProxyEvent, type ServerFacts } from '../events/events.ts';

/** Which servers have a live worker, as far as events tell; only for wording a line. */
export interface RunningWorkers {
  has(place: ServerFacts): boolean;
  hear(event: ProxyEvent): void;
}

export function createRunningWorkers(): RunningWorkers {
  const pids = new Map<string, Set<number>>();
  const keyOf = ({ tenantId, server }: ServerFacts): string => `${tenantId}/${server}`;

  const forget = (place: ServerFacts, pid: number): void => {
    const live = pids.get(keyOf(place));
    live?.delete(pid);
    // An entry per live server only, whatever tenants come and go.
    if (live?.size === 0) pids.delete(keyOf(place));
  };

  return {
    has: (place) => pids.has(keyOf(place)),
    hear(event) {
      if (event.type === 'worker.started') {
        const live = pids.get(keyOf(event)) ?? new Set();
        pids.set(keyOf(event), live.add(event.pid));
      } else if (event.type === 'worker.exited' || event.type === 'worker.failed') {
        forget(event, event.pid);
      }
    },
  };
}
