import type { Call } from '../calls/call.ts';
import type { TenantId } from '../calls/ids.ts';
import type { Caller, Connection, Upstream } from '../calls/upstream.ts';
import { tellListsChanged } from './attribution.ts';
import { ServerLine } from './line.ts';
import { Pool } from './pool.ts';
import { giveHome } from './residents.ts';
import type { ServerSpec } from './spec.ts';
import type { PoolTools } from './start-worker.ts';

/** How long an old generation may finish its calls, in milliseconds. */
export const retireGraceMs = 30_000;

/**
 * One server of one tenant through all its generations: a pool in force, and those before it that finish their calls.
 * A new generation takes traffic only once it has answered its handshake; until then, and if it never does, the old one serves.
 */
export class ServerUpstream implements Upstream {
  readonly tenantId: TenantId;
  readonly retired = new Set<Pool>();
  readonly lines = new Set<ServerLine>();
  /** Why the newest generation is not in force. */
  problem: string | undefined;

  readonly #tools: PoolTools;
  /** Counts of pools that are no more. */
  readonly #past = { acquired: 0, created: 0 };
  #pool: Pool;
  #candidate: Pool | undefined;
  #newest: string;

  constructor(tenantId: TenantId, spec: ServerSpec, tools: PoolTools) {
    this.tenantId = tenantId;
    this.#tools = tools;
    this.#newest = spec.generation;
    this.#pool = new Pool({ tenantId, spec, tools, residents: this.lines });
  }

  get pool(): Pool {
    return this.#pool;
  }

  /** Calls and sessions that were given a worker, over all generations. */
  get acquired(): number {
    return this.pools.reduce((total, pool) => total + pool.acquired, this.#past.acquired);
  }

  /** Workers started, over all generations. */
  get created(): number {
    return this.pools.reduce((total, pool) => total + pool.created, this.#past.created);
  }

  /** The generation last asked for, whether it is in force, about to be, or did not start. */
  get newestGeneration(): string {
    return this.#newest;
  }

  /** All pools that may still have processes. */
  get pools(): readonly Pool[] {
    return [...new Set([this.#pool, ...(this.#candidate ? [this.#candidate] : []), ...this.retired])];
  }

  async connect(caller: Caller, initialize: Call): Promise<Connection> {
    const line = new ServerLine(
      caller,
      initialize.message,
      () => this.#pool,
      () => this.lines.delete(line),
    );
    const { result: known, spec } = this.#pool;
    // A session needs to know the server, not to have a worker; only the first one waits.
    if (known && spec.pool.sharing !== 'exclusive') {
      this.#pool.house(line);
      return this.#connected(line, known);
    }
    const { result } = await line.onWorker(initialize, (worker) => worker);
    if (!result) throw new Error('A worker that is open has answered its handshake');
    return this.#connected(line, result);
  }

  #connected(line: ServerLine, result: Connection['result']): Connection {
    this.lines.add(line);
    return { line, result };
  }

  /** The tenant's file says this now. */
  async follow(spec: ServerSpec): Promise<void> {
    if (spec.generation === this.newestGeneration) return;
    if (spec.generation !== this.#pool.spec.generation) {
      await this.replace(spec, 'its tenant file changed');
      return;
    }
    // What failed, or was about to come, was taken back.
    this.#newest = spec.generation;
    this.problem = undefined;
    this.#dropCandidate('its tenant file was put back');
  }

  /** Go over to another generation, or to new workers of the same one. Resolves when it is in force or given up. */
  async replace(spec: ServerSpec, reason: string): Promise<boolean> {
    this.#newest = spec.generation;
    this.#dropCandidate('a newer file came');
    const next = new Pool({ tenantId: this.tenantId, spec, tools: this.#tools, residents: this.lines });
    const hasTraffic = this.#pool.workers.size > 0 || this.#pool.queued > 0;
    const isShared = spec.pool.sharing !== 'exclusive';
    if (isShared && (hasTraffic || spec.pool.min > 0)) {
      this.#candidate = next;
      if (!(await this.#proved(next))) return false;
    }
    this.#swap(next, reason);
    return true;
  }

  close(reason: string, graceMs: number): void {
    for (const pool of this.pools) pool.retire(reason, graceMs);
    this.#retire(this.#pool);
  }

  async #proved(next: Pool): Promise<boolean> {
    const facts = { tenantId: this.tenantId, server: next.spec.name, generation: next.spec.generation };
    try {
      await next.warm();
    } catch (thrown) {
      if (this.#candidate !== next) return false;
      const reason = thrown instanceof Error ? thrown.message : 'it did not start';
      this.#dropCandidate('it did not start');
      this.problem = reason;
      this.#tools.announce({ type: 'generation.failed', ...facts, reason });
      return false;
    }
    return this.#candidate === next;
  }

  #swap(next: Pool, reason: string): void {
    const old = this.#pool;
    this.#pool = next;
    this.#candidate = undefined;
    this.problem = undefined;
    this.#retire(old);
    for (const line of this.lines) giveHome(line, next.workers, next.spec.pool);
    tellListsChanged(this.lines, old.result);
    old.retire(reason, retireGraceMs);
    const { generation, name } = next.spec;
    this.#tools.announce({ type: 'generation.swapped', tenantId: this.tenantId, server: name, generation });
  }

  /** Its processes are remembered until the last is gone, or nobody would end them when the proxy stops. */
  #dropCandidate(reason: string): void {
    const candidate = this.#candidate;
    this.#candidate = undefined;
    if (!candidate) return;
    this.#retire(candidate);
    candidate.retire(reason, 0);
  }

  #retire(pool: Pool): void {
    this.retired.add(pool);
    void pool.ended().then(() => {
      if (!this.retired.delete(pool) || pool === this.#pool) return;
      this.#past.acquired += pool.acquired;
      this.#past.created += pool.created;
    });
  }
}
