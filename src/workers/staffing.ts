import { isAnyListening } from './attached-line.ts';
import type { Breaker } from './breaker.ts';
import type { Resident, Seeker } from './residents.ts';
import { roomOf } from './sharing.ts';
import { StartFailure, type StartParts, startWorker } from './start-worker.ts';
import type { WaitingList } from './waiting-list.ts';
import type { Worker } from './worker.ts';

export interface StaffingParts {
  readonly start: StartParts;
  readonly workers: ReadonlySet<Worker>;
  readonly waiting: WaitingList<Seeker>;
  readonly breaker: Breaker;
  /** All sessions of the server, live. */
  readonly residents: Iterable<Resident>;
  readonly isRetired: () => boolean;
  /** A worker answered its handshake; `owner` is the one session it is for, if it is. */
  readonly started: (worker: Worker, owner: Seeker | undefined) => void;
  readonly failed: (permanent: boolean, reason: string) => void;
}

/** Decides when a pool starts a worker: for calls that wait, to keep some warm, to replace an old one. */
export class Staffing {
  readonly #parts: StaffingParts;
  /** Workers wished for that have not answered their handshake yet. */
  #starting = 0;
  readonly #startingFor = new Set<Seeker>();
  #isRenewing = false;

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

  /** Start as many workers as the waiting calls are worth, within `max`. */
  grow(): void {
    const { waiting, start, isRetired } = this.#parts;
    if (isRetired() || waiting.size === 0) return;
    const { sharing, max } = start.spec.pool;
    const room = Math.max(0, max - this.openWorkers - this.#starting);
    if (sharing === 'exclusive') {
      const unserved = [...waiting].map(({ who }) => who).filter((who) => !this.#startingFor.has(who));
      for (const owner of unserved.slice(0, room)) this.#startFor(owner);
      return;
    }
    const wanted = Math.ceil(waiting.size / roomOf(start.spec.pool)) - this.#starting;
    for (let count = Math.min(wanted, room); count > 0; count--) this.#startFor(undefined);
  }

  /** Keep `min` workers running, or one if somebody listens, as far as the record of failures and the seats allow. */
  fill(): void {
    const { start, breaker, isRetired, residents } = this.#parts;
    const { min, sharing } = start.spec.pool;
    if (isRetired() || sharing === 'exclusive' || breaker.allowance.waitMs > 0) return;
    const wanted = Math.max(min, isAnyListening(residents) ? 1 : 0);
    // To keep one's own warm is no reason to push out another's.
    const { taken, max } = start.tools.seats;
    if (taken < max && this.openWorkers + this.#starting < wanted) this.startWarm().catch(() => undefined);
  }

  /** An old worker leaves; if calls are on it, only once another is there to take the next ones. */
  renew(old: Worker): void {
    const leave = () => {
      old.drain('it was old');
    };
    if (old.state === 'idle') leave();
    if (old.state !== 'busy' || this.#isRenewing || this.#parts.start.spec.pool.sharing === 'exclusive')
      return;
    this.#isRenewing = true;
    this.startWarm()
      .then(leave, () => undefined)
      .finally(() => (this.#isRenewing = false));
  }

  /** Start a worker ahead of any call. Rejects, in words for an operator, if it does not start. */
  startWarm(): Promise<void> {
    return this.#start(undefined, () => !this.#parts.isRetired());
  }

  #startFor(owner: Seeker | undefined): void {
    if (owner) this.#startingFor.add(owner);
    this.#start(owner, () => (owner ? !owner.isGone : this.#parts.waiting.size > 0))
      .catch(() => undefined)
      .finally(() => {
        if (owner) this.#startingFor.delete(owner);
        this.grow();
      });
  }

  async #start(owner: Seeker | undefined, isWanted: () => boolean): Promise<void> {
    const { start, breaker, failed, started } = this.#parts;
    this.#starting++;
    try {
      const { waitMs } = breaker.allowance;
      if (waitMs > 0) await new Promise<void>((resolve) => start.tools.clock.after(waitMs, resolve));
      const worker = await startWorker(start, owner?.initialize, isWanted);
      if (worker) started(worker, owner);
    } catch (thrown) {
      const isPermanent = thrown instanceof StartFailure && thrown.permanent;
      failed(isPermanent, thrown instanceof Error ? thrown.message : '');
      throw thrown;
    } finally {
      this.#starting--;
    }
  }
}
