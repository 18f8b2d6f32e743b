import { isAnyListening } from './attached-line.ts';
import type { Breaker } from './breaker.ts';
import { endLongRound } from './long-rounds.ts';
import { makePlace } from './make-place.ts';
import type { WorkerKind } from './kind.ts';
import { ownerOf, type Resident, type Seeker } from './residents.ts';
import type { ServerEras } from './server-eras.ts';
import { isBarred, roomOf, type SharingRules } from './sharing.ts';
import { StartFailure, type StartParts, startWorker } from './start-worker.ts';
import type { WaitingList } from './waiting-list.ts';
import type { Worker } from './worker.ts';

export interface StaffingParts {
  readonly start: StartParts;
  readonly workers: ReadonlySet<Worker>;
  readonly waiting: WaitingList<Seeker>;
  readonly breaker: Breaker;
  /** All sessions of the server, live. */
  readonly residents: ReadonlySet<Resident>;
  readonly rules: () => SharingRules;
  readonly eras: ServerEras;
  /** The kind of worker that is kept warm. */
  readonly usualKind: () => WorkerKind;
  readonly isRetired: () => boolean;
  /** A worker answered its handshake; `owner` is the one session it is for, if it is. */
  readonly started: (worker: Worker, owner: Seeker | undefined) => void;
  readonly failed: (permanent: boolean, reason: string) => void;
  /** A start for calls that wait is over, however it went. */
  readonly over: () => void;
}

/** The server speaks the other era: who waited for a worker of this kind must ask for one of another. */
export class WrongEra extends Error {
  override readonly name = 'WrongEra';
}

/** Decides when a pool starts a worker: for calls that wait, to keep some warm, to replace an old one. */
export class Staffing {
  readonly #parts: StaffingParts;
  /** Workers wished for that have not answered their handshake yet, by kind. */
  readonly #startingKinds = new Map<WorkerKind, number>();
  #starting = 0;
  readonly #startingFor = new Set<Seeker>();
  #isRenewing = false;
  #isGrowing = false;

  constructor(parts: StaffingParts) {
    this.#parts = parts;
  }

  get starting(): number {
    return this.#starting;
  }

  get openWorkers(): number {
    let open = 0;
    for (const { state } of this.#parts.workers) if (state === 'idle' || state === 'busy') open++;
    return open;
  }

  /** How long a call may wait: a worker that is to be started may take its time, one that is busy should soon be free. */
  get waitMs(): number {
    const { pool, startTimeout } = this.#parts.start.spec;
    return this.openWorkers < pool.max ? Math.max(pool.wait, startTimeout) : pool.wait;
  }

  /** Is there room for a worker of this kind, and none there or on its way? */
  mayWarm(kind: WorkerKind): boolean {
    const { workers, start } = this.#parts;
    const isThere = this.#startingKinds.has(kind) || [...workers].some((worker) => worker.kind === kind);
    return !isThere && this.openWorkers + this.#starting < start.spec.pool.max;
  }

  /** Start as many workers as the waiting calls are worth, within `max`. */
  grow(): void {
    const { waiting, start, isRetired } = this.#parts;
    // A worker that is told to leave tells of it at once, which brings us here again.
    if (this.#isGrowing || isRetired() || waiting.size === 0) return;
    this.#isGrowing = true;
    try {
      if (start.spec.pool.sharing === 'exclusive') this.#growOwners(this.#room);
      else
        do this.#growKinds(this.#room);
        while (this.#endedLongRound());
    } finally {
      this.#isGrowing = false;
    }
  }

  get #room(): number {
    return Math.max(0, this.#parts.start.spec.pool.max - this.openWorkers - this.#starting);
  }

  /** Who waits for a worker that others' clients hold, and do not come back, has waited long enough. */
  #endedLongRound(): boolean {
    const { waiting, workers, start } = this.#parts;
    const [first] = waiting;
    if (!first || this.#starting > 0 || this.#room > 0) return false;
    const { tenantId, spec, tools } = start;
    const now = tools.clock.now();
    if (now - first.since < spec.pool.wait / 2) return false;
    const ended = endLongRound(workers, now);
    if (!ended) return false;
    const { keyName, requestId } = ended.call;
    const waitedMs = Math.round(ended.waitedMs);
    tools.announce({
      type: 'question.abandoned',
      tenantId,
      server: spec.name,
      keyName,
      requestId,
      waitedMs,
    });
    return true;
  }

  #growOwners(room: number): void {
    // Of one owner several calls may wait, for one worker.
    const owners = new Set([...this.#parts.waiting].map(({ who }) => who));
    const unserved = [...owners].filter((owner) => !this.#startingFor.has(owner));
    for (const owner of unserved.slice(0, room)) this.#startFor(owner, owner.kind).catch(noop);
  }

  #growKinds(atFirst: number): void {
    let room = atFirst;
    for (const [kind, count] of this.#waitingKinds()) {
      const wanted =
        Math.ceil(count / roomOf(this.#parts.rules(), kind)) - (this.#startingKinds.get(kind) ?? 0);
      if (wanted > 0 && room === 0 && this.#makePlace(kind)) room = 1;
      for (let left = Math.min(wanted, room); left > 0; left--, room--)
        this.#startFor(undefined, kind).catch(noop);
    }
  }

  /** Who has none at all of his kind gets a place that others have, and so does who may use none; who only waits for a turn does not. */
  #makePlace(kind: WorkerKind): boolean {
    const { waiting, workers, rules } = this.#parts;
    const open = [...workers].filter((worker) => worker.isOpen && worker.kind === kind);
    const isShutOut = ({ who }: { readonly who: Seeker }) =>
      who.kind === kind && open.every((worker) => isBarred(worker, who, rules()));
    // One that is on its way is for them.
    const isNew = this.#startingKinds.has(kind);
    const shutOut = isNew ? undefined : [...waiting].find(isShutOut)?.who;
    return makePlace(workers, kind, (worker) => shutOut !== undefined && isBarred(worker, shutOut, rules()));
  }

  /** Keep `min` workers running, or one if somebody listens, as far as the record of failures and the seats allow. */
  fill(): void {
    const { start, breaker, isRetired, residents } = this.#parts;
    const { min, sharing } = start.spec.pool;
    if (isRetired() || breaker.allowance.waitMs > 0) return;
    if (sharing === 'exclusive') {
      this.#fillOwners();
      return;
    }
    const isListening = isAnyListening(residents);
    const missing = Math.max(min, isListening ? 1 : 0) - this.openWorkers - this.#starting;
    if (this.#hasSpareSeat && missing > 0)
      this.startWarm(isListening ? listenedKind(residents) : undefined).catch(noop);
  }

  /** Where each has a worker to itself, so has who listens and has lost it; those who call come first. */
  #fillOwners(): void {
    const { start, waiting, workers, residents } = this.#parts;
    if (waiting.size > 0) return;
    for (const resident of residents) {
      const room = start.spec.pool.max - this.openWorkers - this.#starting;
      if (room <= 0 || !this.#hasSpareSeat) return;
      const owner = ownerOf(resident);
      const isHoused = resident.home !== undefined && workers.has(resident.home);
      if (!isHoused && isAnyListening([resident]) && !this.#startingFor.has(owner))
        this.#startFor(owner, owner.kind).catch(noop);
    }
  }

  /** To keep one's own warm is no reason to push out another's. */
  get #hasSpareSeat(): boolean {
    const { taken, max } = this.#parts.start.tools.seats;
    return taken < max;
  }

  /** An old worker leaves; if calls are on it, or somebody listens to it, only once another is there to take its place. */
  renew(old: Worker): void {
    const leave = () => {
      old.drain('it was old');
    };
    const isMissed = old.state === 'busy' || (old.state === 'idle' && old.isListenedTo);
    if (!isMissed) leave();
    if (!isMissed || this.#isRenewing) return;
    const successor = this.#successorOf(old);
    if (!successor) return;
    this.#isRenewing = true;
    successor.then(leave, noop).finally(() => (this.#isRenewing = false));
  }

  /** Undefined if it must not be followed now: one that is a session's own finishes its calls first. */
  #successorOf(old: Worker): Promise<void> | undefined {
    const { start, residents } = this.#parts;
    if (start.spec.pool.sharing !== 'exclusive') return this.startWarm(old.kind);
    const resident = [...residents].find(({ home }) => home === old);
    if (!resident || old.state === 'busy') return undefined;
    const owner = ownerOf(resident);
    return this.#startFor(owner, owner.kind);
  }

  /** Start a worker ahead of any call. Rejects, in words for an operator, if it does not start. */
  async startWarm(kind = this.#parts.usualKind()): Promise<void> {
    try {
      await this.#start(kind, undefined, () => !this.#parts.isRetired());
    } catch (thrown) {
      if (!(thrown instanceof WrongEra)) throw thrown;
      await this.#start(this.#parts.usualKind(), undefined, () => !this.#parts.isRetired());
    }
  }

  /** How many calls wait for which kind of worker. */
  #waitingKinds(): Map<WorkerKind, number> {
    const counts = new Map<WorkerKind, number>();
    for (const { who } of this.#parts.waiting) counts.set(who.kind, (counts.get(who.kind) ?? 0) + 1);
    return counts;
  }

  #startFor(owner: Seeker | undefined, kind: WorkerKind): Promise<void> {
    if (owner) this.#startingFor.add(owner);
    const { waiting, isRetired } = this.#parts;
    const isWanted = () => (owner && !isRetired() ? !owner.isGone : waiting.size > 0);
    return this.#start(kind, owner, isWanted).finally(() => {
      if (owner) this.#startingFor.delete(owner);
      this.#parts.over();
      this.grow();
    });
  }

  async #start(kind: WorkerKind, owner: Seeker | undefined, isWanted: () => boolean): Promise<void> {
    const { start, breaker, eras, started } = this.#parts;
    this.#count(kind, 1);
    try {
      const { waitMs } = breaker.allowance;
      if (waitMs > 0) await new Promise<void>((resolve) => start.tools.clock.after(waitMs, resolve));
      const own = kind.era === 'legacy' ? owner?.initialize : undefined;
      const worker = await startWorker(start, { kind, own, isWanted });
      if (!worker) return;
      eras.learned(kind.era, true);
      if (kind.era === 'legacy') eras.startedIn(start.tools.clock.now() - worker.startedAt);
      started(worker, owner);
    } catch (thrown) {
      throw this.#failed(kind, thrown);
    } finally {
      this.#count(kind, -1);
    }
  }

  /** A refusal may only mean that the server is of the other era. */
  #failed(kind: WorkerKind, thrown: unknown): unknown {
    const { eras, failed, waiting } = this.#parts;
    const failure = thrown instanceof StartFailure ? thrown : undefined;
    if (failure?.isRefusal && eras.learned(kind.era, false)) {
      const wrong = new WrongEra(failure.message);
      waiting.refuseAll(wrong, ({ who }) => who.kind === kind);
      return wrong;
    }
    if (!failure?.isRefusal) eras.stumbled(kind.era);
    failed(failure?.permanent ?? false, thrown instanceof Error ? thrown.message : '');
    return thrown;
  }

  #count(kind: WorkerKind, step: number): void {
    this.#starting += step;
    this.#startingKinds.set(kind, (this.#startingKinds.get(kind) ?? 0) + step);
    if (this.#startingKinds.get(kind) === 0) this.#startingKinds.delete(kind);
  }
}

const noop = () => undefined;

function listenedKind(residents: Iterable<Resident>): WorkerKind | undefined {
  for (const { kind, subscriptions, caller } of residents) {
    if (subscriptions.size > 0 && caller.isListening) return kind;
  }
  return undefined;
}
