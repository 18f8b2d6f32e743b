import { cpus } from 'node:os';
import type { TenantId } from '../calls/ids.ts';
import type { Announce } from '../events/events.ts';
import { initializeRequest } from '../mcp/handshake.ts';
import type { Clock } from '../time/clock.ts';
import { createSeats, type Seats } from './seats.ts';
import { ServerUpstream } from './server-upstream.ts';
import type { ServerSpec } from './spec.ts';
import type { PoolTools } from './start-worker.ts';
import type { Worker } from './worker.ts';

export interface UpstreamsParts {
  readonly clock: Clock;
  readonly announce: Announce;
  /** Processes of all tenants together. */
  readonly max: number;
  /** Processes starting at once; more make each other slow. */
  readonly spawns?: number;
  readonly passEnv: readonly string[];
  readonly stopGrace: number;
  /** How often what is done by time is looked at, in milliseconds. */
  readonly sweepEvery: number;
  /** Said to servers in the handshake. */
  readonly version: string;
  readonly redactorFor: PoolTools['redactorFor'];
}

/** What the proxy must know of a tenant to run its servers. */
export interface Servers {
  readonly id: TenantId;
  readonly servers: ReadonlyMap<string, ServerSpec>;
}

/** All servers of all tenants that have been asked for. Made on first use, so ten thousand idle tenants cost nothing. */
export interface Upstreams {
  /** The upstream of a tenant's server; made if need be. */
  of(tenant: Servers, spec: ServerSpec): ServerUpstream;
  find(tenantId: string, server: string): ServerUpstream | undefined;
  all(): Iterable<ServerUpstream>;
  /** A tenant has come or changed: go over to what its file now says, and prewarm. */
  apply(tenant: Servers): void;
  /** A tenant is no more: finish its calls, end its processes. */
  remove(tenantId: TenantId): void;
  /** New workers for all servers of a tenant. Resolves with how many servers were restarted. */
  restart(tenantId: string): Promise<number>;
  /** End idle workers now, of one tenant or of all; returns how many. */
  reap(tenantId?: string): number;
  readonly seats: Seats;
  /** End everything. Resolves when no process is left; after `killAfterMs` they are killed. */
  close(reason: string, killAfterMs: number): Promise<void>;
  /** The last resort, synchronous: kill every process group. */
  killAll(): void;
}

export function createUpstreams(parts: UpstreamsParts): Upstreams {
  const { clock, announce, max, sweepEvery } = parts;
  const byTenant = new Map<string, Map<string, ServerUpstream>>();
  const closing = new Set<ServerUpstream>();
  const seats = createSeats({
    max,
    spawns: parts.spawns ?? Math.max(2, cpus().length),
    evict: () => evictOldest(all()),
  });
  const initialize = initializeRequest(parts.version, {});
  const tools: PoolTools = { ...parts, seats, initialize };

  function* all(): Iterable<ServerUpstream> {
    for (const servers of byTenant.values()) yield* servers.values();
    yield* closing;
  }

  function of(tenant: Servers, spec: ServerSpec): ServerUpstream {
    const servers = byTenant.get(tenant.id) ?? new Map<string, ServerUpstream>();
    byTenant.set(tenant.id, servers);
    const known = servers.get(spec.name);
    if (known) return known;
    const made = new ServerUpstream(tenant.id, spec, tools);
    servers.set(spec.name, made);
    return made;
  }

  function forget(upstream: ServerUpstream, server: string): void {
    byTenant.get(upstream.tenantId)?.delete(server);
    closing.add(upstream);
    upstream.close('its tenant was removed or changed', 30_000);
    void Promise.all(upstream.pools.map((pool) => pool.ended())).then(() => closing.delete(upstream));
  }

  function sweep(): void {
    const now = clock.now();
    let reaped = 0;
    for (const upstream of all()) for (const pool of upstream.pools) reaped += pool.sweep(now);
    if (reaped > 0) announce({ type: 'workers.reaped', count: reaped });
    stopSweeping = clock.after(sweepEvery, sweep);
  }
  let stopSweeping = clock.after(sweepEvery, sweep);

  return {
    of,
    find: (tenantId, server) => byTenant.get(tenantId)?.get(server),
    all,
    seats,
    apply(tenant) {
      for (const spec of tenant.servers.values()) {
        const known = byTenant.get(tenant.id)?.get(spec.name);
        if (known && known.pool.spec.generation !== spec.generation)
          void known.replace(spec, 'its tenant file changed');
        if (!known && spec.pool.min > 0) of(tenant, spec);
      }
      for (const [name, upstream] of byTenant.get(tenant.id) ?? []) {
        if (!tenant.servers.has(name)) forget(upstream, name);
      }
    },
    remove(tenantId) {
      for (const [name, upstream] of byTenant.get(tenantId) ?? []) forget(upstream, name);
      byTenant.delete(tenantId);
    },
    async restart(tenantId) {
      const servers = [...(byTenant.get(tenantId)?.values() ?? [])];
      await Promise.all(
        servers.map((upstream) => upstream.replace(upstream.pool.spec, 'an operator restarted it')),
      );
      return servers.length;
    },
    reap(tenantId) {
      let count = 0;
      for (const upstream of all()) {
        if (tenantId === undefined || upstream.tenantId === tenantId) count += upstream.pool.reap();
      }
      if (count > 0) announce({ type: 'workers.reaped', count });
      return count;
    },
    async close(reason, killAfterMs) {
      stopSweeping();
      const upstreams = [...all()];
      for (const upstream of upstreams) upstream.close(reason, 0);
      const stopKilling = clock.after(killAfterMs, killAll);
      await Promise.all(upstreams.flatMap(({ pools }) => pools.map((pool) => pool.ended())));
      stopKilling();
    },
    killAll,
  };

  function killAll(): void {
    for (const worker of workersOf(all())) worker.kill('the proxy ends');
  }
}

function* workersOf(upstreams: Iterable<ServerUpstream>): Iterable<Worker> {
  for (const upstream of upstreams) for (const pool of upstream.pools) yield* pool.workers;
}

/** Make room: the worker that has been idle longest leaves. */
function evictOldest(upstreams: Iterable<ServerUpstream>): boolean {
  let oldest: Worker | undefined;
  for (const worker of workersOf(upstreams)) {
    if (worker.state === 'idle' && (!oldest || worker.idleSince < oldest.idleSince)) oldest = worker;
  }
  oldest?.stop('its place was needed');
  return oldest !== undefined;
}
