import type { Call } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import type { TenantId } from '../calls/ids.ts';
import type { InitializeResult } from '../mcp/handshake.ts';
import type { Message } from '../mcp/message.ts';
import { routeNotification, routeRequest } from './attribution.ts';
import type { Exit } from './launch.ts';
import { type Breaker, createBreaker } from './breaker.ts';
import { restartBounds } from './restarts.ts';
import { fittingWorker, roomOf } from './sharing.ts';
import type { ServerSpec } from './spec.ts';
import { factsOf, type PoolTools, StartFailure, type StartParts, startWorker } from './start-worker.ts';
import { createWaitingList, type Use, type WaitingList } from './waiting-list.ts';
import type { Worker } from './worker.ts';

/** Who asks a pool for a worker: a session's line. */
export interface Seeker {
  /** The worker the session lives on. */
  home: Worker | undefined;
  /** The client's own `initialize`, for a worker that is to be its alone. */
  readonly initialize: Message;
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

  readonly #parts: StartParts;
  readonly #waiting: WaitingList<Seeker>;
  readonly #breaker: Breaker;
  /** Workers wished for that have not answered their handshake yet. */
  #starting = 0;
  readonly #startingFor = new Set<Seeker>();
  #retired = false;

  constructor(tenantId: TenantId, spec: ServerSpec, tools: PoolTools) {
    this.spec = spec;
    const { wait, queue, sharing } = spec.pool;
    this.#waiting = createWaitingList({
      clock: tools.clock,
      max: queue,
      waitMs: Math.max(wait, spec.startTimeout),
      isStarved: () => tools.seats.waiting > 0 && this.#openWorkers() === 0,
    });
    this.#breaker = createBreaker(tools.clock, tools.announce, { tenantId, server: spec.name });
    const about = (worker: Worker) => factsOf({ tenantId, spec }, worker);
    const listener = {
      request: (worker: Worker, message: Message) => {
        routeRequest(worker, sharing, message);
      },
      notification: (worker: Worker, message: Message) => {
        routeNotification(worker, sharing, message);
      },
      changed: (worker: Worker) => {
        if (this.#waiting.size > 0) this.#serve();
        else if (worker.inFlight === 0) tools.seats.becameIdle();
      },
      misbehaved: (worker: Worker, reason: string) => {
        tools.announce({ type: 'worker.misbehaved', ...about(worker), reason });
      },
      gone: (worker: Worker, exit: Exit, cutCalls: number) => {
        this.#gone(worker, exit, cutCalls);
      },
    };
    const spawned = (worker: Worker) => {
      this.created++;
      this.workers.add(worker);
    };
    this.#parts = { tenantId, spec, tools, listener, spawned };
  }

  get queued(): number {
    return this.#waiting.size;
  }

  get starting(): number {
    return this.#starting;
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
    if (this.#openWorkers() === 0 && this.#starting === 0 && this.allowance.failFast) {
      return Promise.reject(this.#breaker.refusal());
    }
    const promised = this.#waiting.add(seeker, call, use);
    this.#grow();
    return promised;
  }

  /** Start one worker ahead of any call. Rejects, in words for an operator, if it does not start. */
  async warm(): Promise<void> {
    if (this.workers.size === 0) await this.#start(undefined);
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
    let spare = this.#openWorkers() - min;
    let reaped = 0;
    for (const worker of this.workers) {
      if (now - worker.startedAt > restartBounds.soundAfterMs) this.#breaker.sound();
      if (worker.state !== 'idle') continue;
      if (now >= worker.expiresAt) {
        worker.drain('it was old');
      } else if (spare > 0 && now - worker.idleSince >= idle && !worker.isListenedTo) {
        worker.stop('it was idle');
        spare--;
        reaped++;
      }
    }
    this.#fill();
    return reaped;
  }

  /** End all idle workers now, whatever `idle` and `min` say. */
  reap(): number {
    const idle = [...this.workers].filter((worker) => worker.state === 'idle');
    for (const worker of idle) worker.stop('an operator reaped it');
    return idle.length;
  }

  #openWorkers(): number {
    let open = 0;
    for (const { state } of this.workers) if (state === 'idle' || state === 'busy') open++;
    return open;
  }

  /** Keep `min` workers running, as far as the record of failures allows. */
  #fill(): void {
    const { min, sharing } = this.spec.pool;
    if (this.#retired || sharing === 'exclusive' || this.allowance.waitMs > 0) return;
    if (this.#openWorkers() + this.#starting < min) this.#start(undefined).catch(() => undefined);
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

  /** Start as many workers as the waiting calls are worth, within `max`. */
  #grow(): void {
    if (this.#retired || this.#waiting.size === 0) return;
    const { sharing, max } = this.spec.pool;
    const room = max - this.#openWorkers() - this.#starting;
    if (sharing === 'exclusive') {
      const unserved = [...this.#waiting].map(({ who }) => who).filter((who) => !this.#startingFor.has(who));
      for (const owner of unserved.slice(0, Math.max(0, room))) this.#startFor(owner);
      return;
    }
    const wanted = Math.ceil(this.#waiting.size / roomOf(this.spec.pool)) - this.#starting;
    for (let count = Math.min(wanted, room); count > 0; count--) this.#startFor(undefined);
  }

  #startFor(owner: Seeker | undefined): void {
    if (owner) this.#startingFor.add(owner);
    this.#start(owner)
      .catch(() => undefined)
      .finally(() => {
        if (owner) this.#startingFor.delete(owner);
        this.#grow();
      });
  }

  async #start(owner: Seeker | undefined): Promise<void> {
    this.#starting++;
    try {
      const { waitMs } = this.allowance;
      if (waitMs > 0)
        await new Promise<void>((resolve) => {
          this.#parts.tools.clock.after(waitMs, resolve);
        });
      const worker = await startWorker(this.#parts, owner?.initialize);
      this.result = worker.result;
      if (owner) owner.home = worker;
      this.#breaker.started();
      if (this.#retired) worker.drain('it was replaced');
    } catch (thrown) {
      this.#failed(
        thrown instanceof StartFailure && thrown.permanent,
        thrown instanceof Error ? thrown.message : '',
      );
      throw thrown;
    } finally {
      this.#starting--;
    }
    this.#serve();
  }

  #serve(): void {
    for (const { who, serve } of this.#waiting) {
      const worker = fittingWorker(this.workers, who.home, this.spec.pool);
      if (worker) void this.#give(who, worker, serve);
      else if (this.spec.pool.sharing !== 'exclusive') break;
    }
    this.#grow();
  }

  #failed(permanent: boolean, reason: string): void {
    this.#breaker.failed(permanent, reason);
    if (this.#breaker.isOpen && this.#openWorkers() === 0) this.#waiting.refuseAll(this.#breaker.refusal());
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
      if (worker.stopReason === undefined) this.#failed(false, reason);
    }
    for (const line of worker.lines) line.homeless();
    this.#grow();
  }
}
