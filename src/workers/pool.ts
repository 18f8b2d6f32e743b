import type { Call } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import type { TenantId } from '../calls/ids.ts';
import type { InitializeResult } from '../mcp/handshake.ts';
import { routeNotification, routeRequest } from './attribution.ts';
import type { Exit } from './launch.ts';
import { type Breaker, createBreaker } from './breaker.ts';
import { giveHome, type Resident, type Seeker } from './residents.ts';
import { restartBounds } from './restarts.ts';
import { fittingWorker } from './sharing.ts';
import type { ServerSpec } from './spec.ts';
import { Staffing } from './staffing.ts';
import { factsOf, type PoolTools, type StartParts } from './start-worker.ts';
import { createWaitingList, type Use, type WaitingList } from './waiting-list.ts';
import type { Worker, WorkerListener } from './worker.ts';

export interface PoolParts {
  readonly tenantId: TenantId;
  readonly spec: ServerSpec;
  readonly tools: PoolTools;
  /** All sessions of the server, live. */
  readonly residents: ReadonlySet<Resident>;
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
  /** What the server said in its newest handshake. */
  result: InitializeResult | undefined;

  readonly #residents: ReadonlySet<Resident>;
  readonly #parts: StartParts;
  readonly #waiting: WaitingList<Seeker>;
  readonly #breaker: Breaker;
  readonly #staffing: Staffing;
  #retired = false;

  constructor({ tenantId, spec, tools, residents }: PoolParts) {
    this.spec = spec;
    this.#residents = residents;
    this.#breaker = createBreaker(tools.clock, tools.announce, { tenantId, server: spec.name });
    this.#waiting = createWaitingList({
      clock: tools.clock,
      max: spec.pool.queue,
      waitMs: () => this.#waitMs,
      isStarved: () => tools.seats.waiting > 0 && this.#staffing.openWorkers === 0,
    });
    const spawned = (worker: Worker) => {
      this.created++;
      this.workers.add(worker);
    };
    this.#parts = { tenantId, spec, tools, listener: this.#listener(), spawned };
    this.#staffing = new Staffing({
      start: this.#parts,
      workers: this.workers,
      waiting: this.#waiting,
      breaker: this.#breaker,
      residents,
      isRetired: () => this.#retired,
      started: (worker, owner) => this.#started(worker, owner),
      failed: (permanent, reason) => this.#failed(permanent, reason),
    });
  }

  get queued(): number {
    return this.#waiting.size;
  }

  get starting(): number {
    return this.#staffing.starting;
  }

  get inFlight(): number {
    let sum = 0;
    for (const worker of this.workers) sum += worker.inFlight;
    return sum;
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
   * OVERLOADED when it is the whole proxy that has no room.
   */
  acquire<Result>(seeker: Seeker, call: Call, use: Use<Result>): Result | Promise<Result> {
    if (call.cancellation.reason) return Promise.reject(call.cancellation.reason);
    const fits =
      this.#waiting.size === 0 ? fittingWorker(this.workers, seeker.home, this.spec.pool) : undefined;
    if (fits) return this.#give(seeker, fits, use);
    if (this.#staffing.openWorkers === 0 && this.#staffing.starting === 0 && this.allowance.failFast) {
      return Promise.reject(this.#breaker.refusal());
    }
    const promised = this.#waiting.add(seeker, call, use);
    this.#staffing.grow();
    return promised;
  }

  /** A new session lives on a worker too, if there is one. */
  house(resident: Resident): void {
    this.acquired++;
    giveHome(resident, this.workers, this.spec.pool);
  }

  /** Start one worker ahead of any call. Rejects, in words for an operator, if it does not start. */
  async warm(): Promise<void> {
    if (this.workers.size === 0) await this.#staffing.startWarm();
  }

  /** Take no more calls, let those in flight finish for `graceMs`, then end all workers. */
  retire(reason: string, graceMs: number): void {
    this.#retired = true;
    this.#waiting.refuseAll(
      new ProxyError('UNAVAILABLE', 'The server is being replaced; ask again', { retryAfterMs: 1000 }),
    );
    for (const worker of this.workers) worker.drain(reason);
    this.#parts.tools.clock.after(graceMs, () => {
      for (const worker of this.workers) worker.stop(reason);
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
      if (worker.state !== 'idle') continue;
      if (spare > 0 && now - worker.idleSince >= idle && !worker.isListenedTo) {
        worker.stop('it was idle');
        spare--;
        reaped++;
      }
    }
    this.#staffing.fill();
    return reaped;
  }

  /** End all idle workers now, whatever `idle` and `min` say. */
  reap(): number {
    const idle = [...this.workers].filter((worker) => worker.state === 'idle');
    for (const worker of idle) worker.stop('an operator reaped it');
    return idle.length;
  }

  /** A worker that is to be started may take its time; one that is busy should soon be free. */
  get #waitMs(): number {
    const { pool, startTimeout } = this.spec;
    return this.#staffing.openWorkers < pool.max ? Math.max(pool.wait, startTimeout) : pool.wait;
  }

  #listener(): WorkerListener {
    const { sharing } = this.spec.pool;
    return {
      request: (worker, message) => routeRequest(worker, sharing, message),
      notification: (worker, message) =>
        routeNotification({ worker, sharing, lines: this.#residents }, message),
      changed: (worker) => {
        if (this.#breaker.isOpen && worker.hasAnswered) this.#breaker.proved();
        if (this.#waiting.size > 0) this.#serve();
        else if (worker.inFlight === 0) this.#parts.tools.seats.becameIdle();
      },
      misbehaved: (worker, reason) => {
        const { announce } = this.#parts.tools;
        announce({ type: 'worker.misbehaved', ...factsOf(this.#parts, worker), reason });
      },
      reported: (worker, { code, message, subject, suppressed }) => {
        const { announce } = this.#parts.tools;
        announce({
          type: 'security.reported',
          ...factsOf(this.#parts, worker),
          code,
          message,
          subject,
          suppressed,
        });
      },
      gone: (worker, exit, cutCalls) => this.#gone(worker, exit, cutCalls),
    };
  }

  #give<Result>(seeker: Seeker, worker: Worker, use: Use<Result>): Result | Promise<Result> {
    this.acquired++;
    if (!seeker.home?.isOpen) seeker.home = worker;
    const result = use(worker);
    const { maxRequests } = this.spec.pool;
    if (maxRequests > 0 && worker.calls >= maxRequests)
      worker.drain('it has answered as many calls as it may');
    return result;
  }

  #started(worker: Worker, owner: Seeker | undefined): void {
    this.result = worker.result;
    this.#breaker.started();
    if (owner?.isGone) worker.stop('its session is over');
    else if (this.#retired) worker.drain('it was replaced');
    else if (owner) owner.home = worker;
    for (const resident of this.#residents)
      if (!resident.home) giveHome(resident, this.workers, this.spec.pool);
    this.#serve();
    // It may be idle from the first moment on, and others wait for a seat.
    this.#parts.tools.seats.becameIdle();
  }

  #serve(): void {
    for (const { who, serve } of this.#waiting) {
      const worker = fittingWorker(this.workers, who.home, this.spec.pool);
      if (worker) void this.#give(who, worker, serve);
      else if (this.spec.pool.sharing !== 'exclusive') break;
    }
    this.#staffing.grow();
  }

  #failed(permanent: boolean, reason: string): void {
    this.#breaker.failed(permanent, reason);
    if (this.#breaker.isOpen && this.#staffing.openWorkers === 0)
      this.#waiting.refuseAll(this.#breaker.refusal());
  }

  #gone(worker: Worker, exit: Exit, cutCalls: number): void {
    const wasOpen = worker.result !== undefined;
    this.workers.delete(worker);
    const { tools, tenantId, spec } = this.#parts;
    const ageMs = Math.round(tools.clock.now() - worker.startedAt);
    const reason = worker.stopReason ?? 'it ended by itself';
    if (wasOpen) {
      const { exitCode, signal } = exit;
      tools.announce({
        type: 'worker.exited',
        ...factsOf({ tenantId, spec }, worker),
        reason,
        exitCode,
        signal,
        calls: worker.calls,
        ageMs,
        cutCalls,
      });
      if (ageMs > restartBounds.soundAfterMs) this.#breaker.sound();
      if (worker.hasFailed) this.#failed(false, reason);
    }
    for (const line of worker.lines) line.homeless();
    this.#staffing.grow();
  }
}
