import type { Tally } from '../metrics/tally.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Tenant, Tenants } from '../tenants/tenant.ts';
import type { Clock } from '../time/clock.ts';
import type { WallsInForce } from '../workers/sandbox/isolation.ts';
import type { Pool } from '../workers/pool.ts';
import type { ServerUpstream } from '../workers/server-upstream.ts';
import type { ServerSpec } from '../workers/spec.ts';
import type { Upstreams } from '../workers/upstreams.ts';
import type { Worker } from '../workers/worker.ts';
import type { Problem } from '../yaml/problem.ts';
import type { Status, StatusTotals, TenantState, TenantStatus, WorkerStatus } from './status.ts';

export interface StatusParts {
  readonly version: string;
  readonly clock: Clock;
  readonly startedAt: number;
  readonly state: Status['state'];
  readonly url: string;
  readonly tenants: Tenants;
  readonly upstreams: Upstreams;
  readonly sessions: Sessions;
  readonly tally: Tally;
  readonly inFlight: number;
  /** Resident memory by process group. */
  readonly groupMemory: ReadonlyMap<number, number>;
  readonly isolation: WallsInForce;
  /** Takes secrets out of what is said in words. */
  readonly redact: (text: string) => string;
}

/** Everything an operator wants to see, collected from who owns it. Built from a list of fields: no secret can be among them. */
export function buildStatus(parts: StatusParts): Status {
  const sessions = parts.sessions.countByServer();
  const tenants = [...parts.tenants.all()].flatMap((tenant) =>
    [...tenant.servers.values()].map((spec) =>
      serverStatus(parts, tenant, spec, sessions.get(`${tenant.id}/${spec.name}`) ?? 0),
    ),
  );
  return {
    version: parts.version,
    uptimeMs: Math.round(parts.clock.now() - parts.startedAt),
    state: parts.state,
    url: parts.url,
    isolation: parts.isolation.tier,
    isolationReason: parts.isolation.reason ?? null,
    cgroups: parts.isolation.cgroups ?? null,
    cgroupsReason: parts.isolation.cgroupsReason ?? null,
    rssBytes: process.memoryUsage.rss(),
    totals: totals(parts, tenants),
    tenants,
    problems: [...parts.tenants.problems(), ...generationProblems(parts)].map((problem) => ({
      ...problem,
      message: parts.redact(problem.message),
    })),
  };
}

function totals(
  { tenants, upstreams, sessions, tally, inFlight }: StatusParts,
  rows: readonly TenantStatus[],
): StatusTotals {
  let totalAcquired = 0;
  let totalCreated = 0;
  for (const upstream of upstreams.all()) {
    totalAcquired += upstream.acquired;
    totalCreated += upstream.created;
  }
  return {
    tenants: tenants.size,
    workers: upstreams.seats.taken,
    maxWorkers: upstreams.seats.max,
    sessions: sessions.size,
    inFlight,
    ...tally.totals(),
    totalAcquired,
    totalCreated,
    currentPoolSize: upstreams.seats.taken,
    activeTenants: new Set(rows.filter(({ workers }) => workers.length > 0).map(({ id }) => id)).size,
    reuseRatio: totalAcquired === 0 ? 0 : Math.max(0, 1 - totalCreated / totalAcquired),
  };
}

function serverStatus(parts: StatusParts, tenant: Tenant, spec: ServerSpec, sessions: number): TenantStatus {
  const upstream = parts.upstreams.find(tenant.id, spec.name);
  const pools = upstream?.pools ?? [];
  const { lastError, ...counts } = parts.tally.of(tenant.id, spec.name);
  const now = parts.clock.now();
  return {
    id: tenant.id,
    state: stateOf(tenant, upstream),
    server: spec.name,
    generation: upstream?.pool.spec.generation ?? spec.generation,
    maxWorkers: spec.pool.max,
    workers: pools.flatMap((pool) => [...pool.workers].map((worker) => workerStatus(worker, parts))),
    sessions,
    inFlight: sum(pools, (pool) => pool.inFlight),
    queued: sum(pools, (pool) => pool.queued),
    ...counts,
    lastError: lastError && {
      code: lastError.code,
      message: parts.redact(lastError.message),
      agoMs: Math.round(now - lastError.at),
    },
    retryInMs:
      upstream && upstream.pool.allowance.waitMs > 0 ? Math.round(upstream.pool.allowance.waitMs) : null,
  };
}

function workerStatus(worker: Worker, { clock, groupMemory }: StatusParts): WorkerStatus {
  const now = clock.now();
  const { state } = worker;
  return {
    pid: worker.pid,
    state: state === 'gone' ? 'stopping' : state,
    generation: worker.spec.generation,
    ageMs: Math.round(now - worker.startedAt),
    idleMs: state === 'idle' ? Math.round(now - worker.idleSince) : 0,
    inFlight: worker.inFlight,
    calls: worker.calls,
    sessions: worker.lines.size,
    rssBytes: groupMemory.get(worker.group) ?? null,
  };
}

function stateOf(tenant: Tenant, upstream: ServerUpstream | undefined): TenantState {
  if (!tenant.enabled) return 'disabled';
  if (!upstream) return 'idle';
  const { pool } = upstream;
  const states = [...pool.workers].map(({ state }) => state);
  if (states.includes('idle') || states.includes('busy')) return 'ready';
  if (pool.isBroken) return 'broken';
  if (pool.allowance.waitMs > 0) return 'backoff';
  if (pool.starting > 0) return 'starting';
  return states.length > 0 ? 'draining' : 'idle';
}

function generationProblems({ upstreams, tenants }: StatusParts): Problem[] {
  const problems: Problem[] = [];
  for (const { tenantId, problem } of upstreams.all()) {
    if (problem === undefined) continue;
    const message = `the changed server does not start, so the one before goes on: ${problem}`;
    const file = tenants.find(tenantId)?.file ?? tenantId;
    problems.push({ file, line: 0, column: 0, code: 'START_FAILED', message });
  }
  return problems;
}

function sum(pools: readonly Pool[], of: (pool: Pool) => number): number {
  return pools.reduce((total, pool) => total + of(pool), 0);
}
