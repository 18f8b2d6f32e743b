import type { Call } from '../calls/call.ts';
import type { TenantId } from '../calls/ids.ts';
import type { ServerFacts } from '../mcp/handshake.ts';
import { isQuestion } from '../bridge/questions.ts';
import { changedFeature } from '../mcp/lists.ts';
import { routeNotification, routeRequest } from './attribution.ts';
import type { Exit } from './launch.ts';
import { type Breaker, createBreaker } from './breaker.ts';
import { giveHome, rehouse, type Resident, type Seeker } from './residents.ts';
import { restartBounds } from './restarts.ts';
import type { WorkerKind } from './kind.ts';
import type { ServerEras } from './server-eras.ts';
import type { ServerMemory } from './server-memory.ts';
import { fittingWorker, type SharingRules } from './sharing.ts';
import type { ServerSpec } from './spec.ts';
import { Staffing } from './staffing.ts';
import type { PoolTools, StartParts } from './start-worker.ts';
import type { TaskBook } from './tasks.ts';
import { ageOf, tellExit, tellings } from './tellings.ts';
import { createWaitingList, type Use, type WaitingList } from './waiting-list.ts';
import type { Worker, WorkerListener } from './worker.ts';

export interface PoolParts {
  readonly tenantId: TenantId;
  readonly spec: ServerSpec;
  readonly tools: PoolTools;
  /** All sessions of the server, live. */
  readonly residents: ReadonlySet<Resident>;
  readonly eras: ServerEras;
  /** What was answered before, for as long as nobody is there to answer. */
  readonly memory: ServerMemory;
  /** The kind of worker that is kept warm. */
  readonly usualKind: () => WorkerKind;
  /** A worker answered its handshake. */
  readonly started: (worker: Worker) => void;
  /** Whose the server's tasks are. */
  readonly tasks: () => Pick<TaskBook, 'heard' | 'lineOf' | 'ownerOf'>;
  /** A worker said that a list of the server's changed. */
  readonly listChanged: (worker: Worker, feature: string) => void;
}

/**
 * The workers of one tenant's server and generation. A process in it was started for this tenant, with this
 * tenant's environment, and ends without ever having served another.
 */
export class Pool {
  readonly spec: ServerSpec;
  readonly workers = new Set<Worker>();
  /** Calls and sessions that were given a worker, and workers started, since the pool began. */
  acquired = 0;
  created = 0;
  /** What the server said in its newest handshake, to each kind of worker. */
  readonly facts = new Map<WorkerKind, ServerFacts>();
  /** The server has asked its client something: calls whose client can answer have a worker for themselves. */
  isInteractive = false;
  readonly eras: ServerEras;
  readonly memory: ServerMemory;
  /** What a worker of this pool is started from. */
  readonly start: StartParts;

  readonly #parts: PoolParts;
  readonly #waiting: WaitingList<Seeker>;
  readonly #breaker: Breaker;
  readonly #staffing: Staffing;
  #retired = false;

  constructor(parts: PoolParts) {
    const { tenantId, spec, tools, residents, eras, usualKind } = parts;
    this.#parts = parts;
    this.spec = spec;
    this.eras = eras;
    this.memory = parts.memory;
    this.#breaker = createBreaker(tools.clock, tools.announce, { tenantId, server: spec.name });
    this.#waiting = createWaitingList({
      clock: tools.clock,
      max: spec.pool.queue,
      waitMs: () => this.#staffing.waitMs,
      isStarved: () => tools.seats.waiting > 0 && this.#staffing.openWorkers === 0,
    });
    const spawned = (worker: Worker) => {
      this.created++;
      this.workers.add(worker);
    };
    this.start = { tenantId, spec, tools, listener: this.#listener(), spawned };
    this.#staffing = new Staffing({
      start: this.start,
      workers: this.workers,
      waiting: this.#waiting,
      breaker: this.#breaker,
      residents,
      eras,
      usualKind,
      rules: () => this.rules,
      isRetired: () => this.#retired,
      started: (worker, owner) => this.#started(worker, owner),
      failed: (permanent, reason) => this.#failed(permanent, reason),
      over: () => {
        if (this.#retired) this.#waiting.moveOn(this.#staffing.starting > 0);
      },
    });
  }

  get queued(): number {
    return this.#waiting.size;
  }

  get starting(): number {
    return this.#staffing.starting;
  }

  get inFlight(): number {
    return [...this.workers].reduce((sum, worker) => sum + worker.inFlight, 0);
  }

  /** How its workers are shared. */
  get rules(): SharingRules {
    const { sharing, concurrency } = this.spec.pool;
    return { sharing, concurrency, isInteractive: this.isInteractive };
  }

  /** What the server said of itself last, to whichever worker. */
  get lastFacts(): ServerFacts | undefined {
    return [...this.facts.values()].at(-1);
  }

  get allowance() {
    return this.#breaker.allowance;
  }

  get isBroken(): boolean {
    return this.#breaker.isOpen;
  }

  /** No new calls go here: a newer generation has taken over. */
  get isRetired(): boolean {
    return this.#retired;
  }

  /**
   * A worker for one call: `use` puts the call on it, at once if one has room, else as soon as one has.
   * Rejects with UNAVAILABLE while the server keeps failing, TENANT_BUSY when too many wait for too long,
   * OVERLOADED when it is the whole proxy that has no room. `hasMoved`: it waited for a generation before this one.
   */
  acquire<Result>(seeker: Seeker, call: Call, use: Use<Result>, hasMoved = false): Result | Promise<Result> {
    if (call.cancellation.reason) return Promise.reject(call.cancellation.reason);
    const fits = this.#waiting.size === 0 ? fittingWorker(this.workers, seeker, this.rules) : undefined;
    if (fits) return this.#give(seeker, fits, use);
    if (this.#staffing.openWorkers === 0 && this.#staffing.starting === 0 && this.allowance.failFast) {
      return Promise.reject(this.#breaker.refusal());
    }
    const isFirst = this.#waiting.size === 0;
    const promised = this.#waiting.add(seeker, call, use, hasMoved);
    // Those before it may wait for a worker of another kind, and one of its own have room.
    if (isFirst) this.#staffing.grow();
    else this.#serve();
    return promised;
  }

  /** A new session lives on a worker too, if there is one. */
  house(resident: Resident): void {
    this.acquired++;
    giveHome(resident, this.workers, this.spec.pool.sharing);
  }

  /** Start one worker ahead of any call, unless there is one. Rejects, in words for an operator, if it does not start. */
  async warm(kind = this.#parts.usualKind()): Promise<void> {
    if (this.#staffing.mayWarm(kind)) await this.#staffing.startWarm(kind);
  }

  /** A worker that was started to find out about the server is one like any other, if there is room. */
  adopt(worker: Worker): void {
    if (this.#retired || this.#staffing.openWorkers > this.spec.pool.max)
      worker.stop('there was no room for it');
    else this.#started(worker, undefined);
  }

  /**
   * Take no more calls, let those in flight finish for `graceMs`, then end all workers but those that are kept for tasks. Who waits goes over to the
   * generation that replaces this one, if one does.
   */
  retire(reason: string, graceMs: number, isReplaced: boolean): void {
    this.#retired = true;
    this.#waiting.moveOn(isReplaced && this.#staffing.starting > 0);
    for (const worker of this.workers) worker.drain(reason, isReplaced);
    this.start.tools.clock.after(graceMs, () => {
      // Where there is a generation after this one there are still clients that may fetch what they began here.
      for (const worker of this.workers) if (!isReplaced || worker.liveTasks.size === 0) worker.stop(reason);
    });
  }

  /** Settles when no process of the pool is left. */
  async ended(): Promise<void> {
    while (this.workers.size > 0) await Promise.all([...this.workers].map((worker) => worker.ended));
  }

  /** What is done by time. Returns how many idle workers were told to leave. */
  sweep(now: number): number {
    const { idle, min } = this.spec.pool;
    let spare = this.#staffing.openWorkers - min;
    let reaped = 0;
    for (const worker of this.workers) {
      if (now - worker.startedAt > restartBounds.soundAfterMs) this.#breaker.sound();
      if (now >= worker.expiresAt) this.#staffing.renew(worker);
      const isUnused = worker.state === 'idle' && now - worker.idleSince >= idle && !worker.isListenedTo;
      if (!isUnused || spare <= 0) continue;
      worker.stop('it was idle');
      spare--;
      reaped++;
    }
    this.#staffing.fill();
    // A worker whose server reads again, after it did not keep up, tells nobody.
    this.#serve();
    return reaped;
  }

  /** End all idle workers now, whatever `idle` and `min` say. */
  reap(): number {
    const idle = [...this.workers].filter((worker) => worker.state === 'idle');
    for (const worker of idle) worker.stop('an operator reaped it');
    return idle.length;
  }

  #listener(): WorkerListener {
    const { sharing } = this.spec.pool;
    const { residents: lines, listChanged, tasks } = this.#parts;
    return {
      request: (worker, message) => {
        this.isInteractive ||= isQuestion(message.method);
        routeRequest({ worker, sharing, tasks: tasks() }, message);
      },
      notification: (worker, message) => {
        const changed = changedFeature(message.method);
        if (changed !== undefined) listChanged(worker, changed);
        routeNotification({ worker, sharing, lines, tasks: tasks() }, message);
      },
      changed: (worker) => {
        if (this.#breaker.isOpen && worker.talk.hasAnswered) this.#breaker.proved();
        if (this.#waiting.size > 0) this.#serve();
        else if (worker.inFlight === 0) this.start.tools.seats.becameIdle();
      },
      ...tellings(this.#parts),
      gone: (worker, exit, cutCalls) => this.#gone(worker, exit, cutCalls),
    };
  }

  #give<Result>(seeker: Seeker, worker: Worker, use: Use<Result>): Result | Promise<Result> {
    this.acquired++;
    if (!seeker.home?.isOpen || seeker.home.kind !== worker.kind) seeker.home = worker;
    const result = use(worker);
    const { maxRequests } = this.spec.pool;
    if (maxRequests > 0 && worker.calls >= maxRequests)
      worker.drain('it has answered as many calls as it may');
    return result;
  }

  #started(worker: Worker, owner: Seeker | undefined): void {
    if (worker.facts) this.facts.set(worker.kind, worker.facts);
    this.#breaker.started();
    if (owner?.isGone) worker.stop('its session is over');
    else if (this.#retired) this.#serveLast(worker, owner);
    else this.#welcome(worker, owner);
    // It may be idle from the first moment on, and others wait for a seat.
    this.start.tools.seats.becameIdle();
  }

  #welcome(worker: Worker, owner: Seeker | undefined): void {
    if (owner) owner.home = worker;
    for (const resident of this.#parts.residents) giveHome(resident, this.workers, this.spec.pool.sharing);
    this.#parts.started(worker);
    this.#serve();
  }

  /** It comes too late for all but those who have stayed for it. */
  #serveLast(worker: Worker, owner: Seeker | undefined): void {
    const home = owner?.home;
    if (owner) owner.home = worker;
    this.#serve();
    // The owner may live on a worker of the next generation already.
    if (owner && home?.isOpen) owner.home = home;
    worker.drain('it was replaced');
  }

  #serve(): void {
    const { rules } = this;
    // Where the first of a kind and key finds nothing, the others after it need not look.
    const inVain = new Set<string>();
    for (const { who, serve } of this.#waiting) {
      const group = `${who.kind.key} ${who.caller.keyName}`;
      if (inVain.has(group)) continue;
      const worker = fittingWorker(this.workers, who, rules);
      if (worker) void this.#give(who, worker, serve);
      else if (rules.sharing !== 'exclusive') inVain.add(group);
    }
    this.#staffing.grow();
  }

  #failed(permanent: boolean, reason: string): void {
    this.#breaker.failed(permanent, reason);
    if (this.#breaker.isOpen && this.#staffing.openWorkers === 0)
      this.#waiting.refuseAll(this.#breaker.refusal());
  }

  #gone(worker: Worker, exit: Exit, cutCalls: number): void {
    const wasOpen = worker.facts !== undefined;
    this.workers.delete(worker);
    if (wasOpen) {
      const ageMs = ageOf(this.start, worker);
      const reason = worker.stopReason ?? 'it ended by itself';
      tellExit(this.start, worker, { exit, cutCalls, ageMs, reason });
      if (ageMs > restartBounds.soundAfterMs) this.#breaker.sound();
      if (worker.hasFailed) this.#failed(false, reason);
    }
    for (const line of worker.lines) line.homeless();
    if (!this.#retired) rehouse(this.#parts.residents, this.workers, this.spec.pool.sharing);
    this.#staffing.grow();
  }
}
