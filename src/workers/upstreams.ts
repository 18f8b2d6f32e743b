import { cpus } from 'node:os';
import { ProxyError } from '../calls/error.ts';
import type { TenantId } from '../calls/ids.ts';
import type { Announce } from '../events/events.ts';
import type { Clock } from '../time/clock.ts';
import type { KeptState } from './kept-state.ts';
import { evictOne, workersOf, yieldOne } from './leavers.ts';
import { createSeats, type Seats } from './seats.ts';
import { ServerUpstream } from './server-upstream.ts';
import type { ServerSpec } from './spec.ts';
import type { PoolTools } from './start-worker.ts';

export interface UpstreamsParts {
  readonly clock: Clock;
  readonly announce: Announce;
  /** Processes of all tenants together. */
  readonly max: number;
  /** Processes starting at once; more make each other slow. */
  readonly spawns?: number | undefined;
  readonly launch: PoolTools['launch'];
  readonly stopGrace: number;
  /** How often what is done by time is looked at, in milliseconds. */
  readonly sweepEvery: number;
  readonly kept: KeptState;
  readonly redactor: PoolTools['redactor'];
}

/** What the proxy must know of a tenant to run its servers. */
export interface Servers {
  readonly id: TenantId;
  readonly servers: ReadonlyMap<string, ServerSpec>;
}

/** How long a worker may finish its calls after its tenant or server was removed, in milliseconds. */
const removalGraceMs = 30_000;

/** All servers of all tenants that have been asked for. Made on first use, so ten thousand idle tenants cost nothing. */
export class Upstreams {
  readonly seats: Seats;
  readonly #parts: UpstreamsParts;
  readonly #tools: PoolTools;
  readonly #byTenant = new Map<string, Map<string, ServerUpstream>>();
  /** Of tenants and servers that are no more, until their last process is gone. */
  readonly #leaving = new Set<ServerUpstream>();
  #stopSweeping: () => void = () => undefined;

  constructor(parts: UpstreamsParts) {
    this.#parts = parts;
    const spawns = parts.spawns ?? Math.max(2, cpus().length);
    this.seats = createSeats({
      max: parts.max,
      spawns,
      clock: parts.clock,
      evict: () => evictOne(this.all(), parts.clock.now()),
      yieldOne: () => yieldOne(this.all()),
    });
    this.#tools = { ...parts, seats: this.seats };
    this.#sweepLater();
  }

  *all(): Iterable<ServerUpstream> {
    for (const servers of this.#byTenant.values()) yield* servers.values();
    yield* this.#leaving;
  }

  find(tenantId: string, server: string): ServerUpstream | undefined {
    return this.#byTenant.get(tenantId)?.get(server);
  }

  /** The upstream of a tenant's server; made if need be. */
  of(tenant: Servers, spec: ServerSpec): ServerUpstream {
    const servers = this.#byTenant.get(tenant.id) ?? new Map<string, ServerUpstream>();
    this.#byTenant.set(tenant.id, servers);
    const known = servers.get(spec.name);
    if (known) return known;
    const made = new ServerUpstream(tenant.id, spec, this.#tools);
    servers.set(spec.name, made);
    return made;
  }

  /** A tenant has come or changed: go over to what its file says now, and prewarm what it wants warm. */
  apply(tenant: Servers): void {
    for (const spec of tenant.servers.values()) {
      const known = this.find(tenant.id, spec.name);
      if (!known && spec.pool.min > 0) this.of(tenant, spec);
      void known?.follow(spec);
    }
    for (const [name, upstream] of this.#byTenant.get(tenant.id) ?? []) {
      if (!tenant.servers.has(name)) this.#forget(upstream, name);
    }
  }

  /** A tenant is no more: let its calls finish, end its processes. */
  remove(tenantId: TenantId): void {
    for (const [name, upstream] of this.#byTenant.get(tenantId) ?? []) this.#forget(upstream, name);
    this.#byTenant.delete(tenantId);
    this.#parts.kept.forget(tenantId);
  }

  /**
   * New workers for all servers of a tenant, as its file says now; the old ones drain once the new ones have answered.
   * Resolves with how many workers were replaced. @throws {ProxyError} UNAVAILABLE if the new ones do not start, and
   * the old ones go on
   */
  async restart(tenant: Servers): Promise<number> {
    const servers = [...(this.#byTenant.get(tenant.id)?.values() ?? [])];
    const workers = servers.reduce((total, { pool }) => total + pool.workers.size, 0);
    await Promise.all(
      servers.map(async (upstream) => {
        const spec = tenant.servers.get(upstream.pool.spec.name) ?? upstream.pool.spec;
        if (await upstream.replace(spec, 'an operator restarted it')) return;
        const { problem = 'a newer file came', pool } = upstream;
        throw new ProxyError(
          'UNAVAILABLE',
          `A new worker of ${tenant.id}, server ${pool.spec.name}, does not start, so the old ones go on: ${problem}`,
        );
      }),
    );
    return workers;
  }

  /** End idle workers now, of one tenant or of all; returns how many. */
  reap(tenantId?: string): number {
    let count = 0;
    for (const upstream of this.all()) {
      if (tenantId === undefined || upstream.tenantId === tenantId) count += upstream.pool.reap();
    }
    if (count > 0) this.#parts.announce({ type: 'workers.reaped', count });
    return count;
  }

  /** End everything. Resolves when no process is left; after `killAfterMs` they are killed. */
  async close(reason: string, killAfterMs: number): Promise<void> {
    this.#stopSweeping();
    const upstreams = [...this.all()];
    for (const upstream of upstreams) upstream.close(reason, 0);
    const stopKilling = this.#parts.clock.after(killAfterMs, () => this.killAll());
    await Promise.all(upstreams.flatMap(({ pools }) => pools.map((pool) => pool.ended())));
    stopKilling();
  }

  /** The last resort, synchronous: kill every process group. */
  killAll(): void {
    for (const worker of workersOf(this.all())) worker.kill('the proxy ends');
  }

  #forget(upstream: ServerUpstream, server: string): void {
    this.#byTenant.get(upstream.tenantId)?.delete(server);
    this.#leaving.add(upstream);
    upstream.close('its tenant or server was removed', removalGraceMs);
    void Promise.all(upstream.pools.map((pool) => pool.ended())).then(() => this.#leaving.delete(upstream));
  }

  #sweepLater(): void {
    this.#stopSweeping = this.#parts.clock.after(this.#parts.sweepEvery, () => {
      this.#sweep();
      this.#sweepLater();
    });
  }

  #sweep(): void {
    const now = this.#parts.clock.now();
    let reaped = 0;
    for (const upstream of this.all()) for (const pool of upstream.pools) reaped += pool.sweep(now);
    if (reaped > 0) this.#parts.announce({ type: 'workers.reaped', count: reaped });
  }
}
