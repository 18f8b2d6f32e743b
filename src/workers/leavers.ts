import type { ServerUpstream } from './server-upstream.ts';
import type { Worker } from './worker.ts';

/** Who has been idle for so long, in milliseconds, is not missed. */
const longIdleMs = 1000;

export function* workersOf(upstreams: Iterable<ServerUpstream>): Iterable<Worker> {
  for (const { pools } of upstreams) for (const pool of pools) yield* pool.workers;
}

/**
 * Make room: the worker that has been idle longest leaves. If all have just been busy, each that leaves will be wished
 * for again at once; then it is one of the tenant that has most, or two tenants with one each would take each other's
 * place without end. Settles when it is gone; undefined if nobody is idle.
 */
export function evictOne(upstreams: Iterable<ServerUpstream>, now: number): Promise<void> | undefined {
  const all = [...byTenant(upstreams)]
    .flatMap((workers) => workers.filter(isUnused).map((worker) => ({ worker, ofHowMany: workers.length })))
    .sort((a, b) => a.worker.idleSince - b.worker.idleSince);
  const free = all.filter(({ worker }) => worker.liveTasks.size === 0);
  // Unfetched tasks go only where there is nothing else to give.
  const idle = free.length > 0 ? free : all;
  const [oldest] = idle;
  if (!oldest) return undefined;
  const isContended = now - oldest.worker.idleSince < longIdleMs;
  const most = Math.max(...idle.map(({ ofHowMany }) => ofHowMany));
  const chosen = isContended ? (idle.find(({ ofHowMany }) => ofHowMany === most) ?? oldest) : oldest;
  chosen.worker.stop('its place was needed');
  return chosen.worker.ended;
}

/** One that drains and has no calls is only there for its tasks. */
const isUnused = ({ state, inFlight }: Worker) =>
  state === 'idle' || (state === 'draining' && inFlight === 0);

/**
 * Make room where nobody is idle: of the tenant that has most busy workers, the one with the fewest calls finishes them
 * and leaves. Not one that keeps something of its clients' beyond a call, nor a tenant's last.
 */
export function yieldOne(upstreams: Iterable<ServerUpstream>): Promise<void> | undefined {
  const [most = []] = [...byTenant(upstreams)]
    .map((workers) => workers.filter(({ state }) => state === 'busy'))
    .filter((busy) => busy.length > 1)
    .toSorted((a, b) => b.length - a.length);
  const [chosen] = most
    .filter((worker) => worker.spec.pool.sharing !== 'exclusive' && !worker.isListenedTo)
    .toSorted((a, b) => a.inFlight - b.inFlight);
  chosen?.drain('another tenant had none');
  return chosen?.ended;
}

function byTenant(upstreams: Iterable<ServerUpstream>): Iterable<readonly Worker[]> {
  const tenants = new Map<string, Worker[]>();
  for (const upstream of upstreams) {
    const workers = tenants.get(upstream.tenantId) ?? [];
    tenants.set(upstream.tenantId, workers);
    workers.push(...workersOf([upstream]));
  }
  return tenants.values();
}
