import type { Call, Reply } from '../calls/call.ts';
import type { TenantId } from '../calls/ids.ts';
import type { Caller, Connection, MirroredParameter, Upstream } from '../calls/upstream.ts';
import type { ServerFacts } from '../mcp/handshake.ts';
import type { Message } from '../mcp/message.ts';
import type { Era } from '../mcp/versions.ts';
import { tellListsChanged } from './attribution.ts';
import { createWorkerKinds, everything, modernKind, plainKind, type WorkerKind } from './kind.ts';
import { Line, type LineServer, type Recalled } from './line.ts';
import { Pool } from './pool.ts';
import { probe } from './probe.ts';
import { giveHome } from './residents.ts';
import { createServerEras, type ServerEras } from './server-eras.ts';
import { Recollection } from './recollection.ts';
import { openServerMemory } from './server-memory.ts';
import { SessionLine } from './session-line.ts';
import type { ServerSpec } from './spec.ts';
import type { PoolTools } from './start-worker.ts';
import { TaskBook } from './tasks.ts';
import { Visitors } from './visitors.ts';
import type { Worker } from './worker.ts';

/** How long an old generation may finish its calls, in milliseconds. */
export const retireGraceMs = 30_000;
/** How long a modern client waits for the server's era to be found out, in milliseconds. */
const probePatienceMs = 3000;

/**
 * One server of one tenant through all its generations: a pool in force, and those before it that finish their calls.
 * A new generation takes traffic only once it has answered its handshake; until then, and if it never does, the old one serves.
 */
export class ServerUpstream implements Upstream, LineServer {
  readonly tenantId: TenantId;
  readonly retired = new Set<Pool>();
  /** Of sessions, and of callers who listen. */
  readonly lines = new Set<Line>();
  /** Why the newest generation is not in force. */
  problem: string | undefined;

  readonly #tools: PoolTools;
  readonly #kinds = createWorkerKinds();
  readonly #everything = this.#kinds.legacy(everything);
  readonly #visitors: Visitors;
  /** Finding out whether the server speaks the modern era. */
  #probing: Promise<void> | undefined;
  readonly #recollection: Recollection;
  readonly #tasks: TaskBook;
  /** Counts of pools that are no more. */
  readonly #past = { acquired: 0, created: 0 };
  #pool: Pool;
  #candidate: Pool | undefined;
  #newest: string;

  constructor(tenantId: TenantId, spec: ServerSpec, tools: PoolTools) {
    this.tenantId = tenantId;
    this.#tools = tools;
    this.#newest = spec.generation;
    this.#pool = this.#createPool(spec);
    this.#recollection = new Recollection({
      pool: () => this.#pool,
      lines: this.lines,
      listChanged: () => this.#visitors.mirrored.forget(),
    });
    this.#visitors = new Visitors({
      clock: tools.clock,
      lineFor: (caller, initialize) => this.#lineFor(caller, 'modern', initialize),
      isExclusive: () => this.#pool.spec.pool.sharing === 'exclusive',
      workerOf: (serial) => this.#workerBy(serial),
    });
    this.#tasks = new TaskBook(tools.clock, (serial) => this.#workerBy(serial));
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
    const line = this.#lineFor(caller, 'legacy', initialize.message);
    const { facts, spec } = this.#pool;
    const known = facts.get(line.kind) ?? this.#recollection.facts(line.kind);
    // A session needs to know the server, not to have a worker; only the very first one waits.
    if (known && spec.pool.sharing !== 'exclusive') {
      this.#pool.house(line);
      return this.#connected(line, known);
    }
    const said = await line.onWorker(initialize, (worker) => worker.facts);
    if (!said) throw new Error('A worker that is open has answered its handshake');
    return this.#connected(line, said);
  }

  #connected(line: Line, { initialize, said }: ServerFacts): Connection {
    this.lines.add(line);
    const sessionLine = new SessionLine({
      line,
      tasks: this.#tasks,
      workerOf: (serial) => this.#workerBy(serial),
      capabilities: () => (this.#pool.facts.get(line.kind)?.initialize ?? initialize).capabilities,
    });
    return { line: sessionLine, result: initialize, said };
  }

  readonly visit = (call: Call): Promise<Reply> =>
    this.#isEraKnown
      ? this.#visitors.exchange(call)
      : this.#knowEra().then(() => this.#visitors.exchange(call));

  async discover(call: Call): Promise<ServerFacts> {
    await this.#knowEra();
    return this.#visitors.facts(call, (kind) => this.#pool.facts.get(kind) ?? this.#recollection.facts(kind));
  }

  mirrored(call: Call, tool: string): readonly MirroredParameter[] | Promise<readonly MirroredParameter[]> {
    if (this.#isEraKnown) return this.#visitors.parameters(call, tool);
    return this.#knowEra().then(() => this.#visitors.parameters(call, tool));
  }

  async listen(caller: Caller, call: Call, uris: readonly string[]): Promise<Line> {
    await this.#knowEra();
    const own = this.#visitors.lineOf(call);
    const line = this.#lineFor(caller, 'modern', undefined);
    // What nobody runs has nothing to tell; but who asked for resources wants to be told by a running one.
    if (uris.length > 0) await own.onWorker(call, (worker) => worker);
    this.lines.add(line);
    line.follow(() => this.#visitors.lineOf(call));
    if (!line.home) this.#pool.house(line);
    for (const uri of uris) line.subscribe(uri);
    return line;
  }

  kindFor({ era, isExclusive, initialize, declared }: Line): WorkerKind {
    const { eras, spec } = this.#pool;
    if ((eras.workerEra(era) ?? 'legacy') === 'modern') return modernKind;
    if (isExclusive) return initialize ? plainKind : declared;
    return spec.pool.max === 1 ? this.#everything : declared;
  }

  recall(kind: WorkerKind, message: Message): Recalled | undefined {
    return this.#recollection.list(kind, message);
  }

  remember(kind: WorkerKind, message: Message, response: Message): void {
    this.#recollection.note(kind, message, response);
  }

  hungUp(line: Line): void {
    this.lines.delete(line);
  }

  #workerBy(serial: number): Worker | undefined {
    return this.pools.flatMap((pool) => [...pool.workers]).find((worker) => worker.serial === serial);
  }

  #lineFor(caller: Caller, era: Era, initialize: Message | undefined): Line {
    const declared = this.#kinds.legacy(caller.capabilities);
    return new Line({ caller, era, initialize, declared, server: this });
  }

  get #isEraKnown(): boolean {
    return this.#pool.eras.workerEra('modern') !== undefined;
  }

  /** Before a modern client is served for the first time, the server is asked whether it speaks the modern era itself. */
  async #knowEra(): Promise<void> {
    if (this.#isEraKnown) return;
    const { clock } = this.#tools;
    const { spec } = this.#pool;
    this.#probing ??= probe(this.#pool).finally(() => (this.#probing = undefined));
    // One that is slow to start is served as a legacy one until it has said something.
    const waitMs = Math.min(spec.startTimeout, probePatienceMs);
    const patience = new Promise<void>((resolve) => clock.after(waitMs, resolve));
    await Promise.race([this.#probing, patience]);
  }

  #createPool(spec: ServerSpec): Pool {
    const { eraBook, memoryOf } = this.#tools.kept;
    const memory = openServerMemory(memoryOf(this.tenantId, spec.name), spec);
    const eras = createServerEras(spec.era, eraBook.find(spec), (verdict) => eraBook.note(spec, verdict));
    return new Pool({
      tenantId: this.tenantId,
      spec,
      tools: this.#tools,
      residents: this.lines,
      eras,
      memory,
      usualKind: () => this.#usualKind(eras, spec),
      started: (worker) => void this.#recollection.compare(memory, worker),
      tasks: () => this.#tasks,
      listChanged: (worker, feature) => {
        if (feature === 'tools') this.#visitors.mirrored.forget();
        for (const line of this.lines) line.listChanged(worker, feature);
      },
    });
  }

  #usualKind(eras: ServerEras, spec: ServerSpec): WorkerKind {
    if (eras.workerEra('legacy') === 'modern') return modernKind;
    return spec.pool.max === 1 && spec.pool.sharing !== 'exclusive' ? this.#everything : plainKind;
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
    const next = this.#createPool(spec);
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
    for (const pool of this.pools) pool.retire(reason, graceMs, false);
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
    this.#visitors.mirrored.forget();
    for (const line of this.lines) {
      line.followAnew();
      giveHome(line, next.workers, next.spec.pool.sharing);
    }
    tellListsChanged(this.lines, old.lastFacts);
    old.retire(reason, retireGraceMs, true);
    const { generation, name } = next.spec;
    this.#tools.announce({ type: 'generation.swapped', tenantId: this.tenantId, server: name, generation });
  }

  /** Its processes are remembered until the last is gone, or nobody would end them when the proxy stops. */
  #dropCandidate(reason: string): void {
    const candidate = this.#candidate;
    this.#candidate = undefined;
    if (!candidate) return;
    this.#retire(candidate);
    candidate.retire(reason, 0, true);
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
