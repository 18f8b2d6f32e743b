import type { TenantId } from '../calls/ids.ts';

/** How much is kept for clients that lost their connection, so that they can be told again. */
export interface ReplayBounds {
  /** Messages of one session; 0: nothing is kept, and streams cannot be resumed. */
  readonly events: number;
  /** Bytes of one session. */
  readonly perSession: number;
  /** Bytes of all sessions together. */
  readonly total: number;
  /** A message is kept for so many milliseconds. */
  readonly keep: number;
  /** How long clients are asked to wait before they connect again, in milliseconds. */
  readonly retry: number;
}

/** Somebody who keeps messages, and can be asked to keep fewer. */
export interface Keeper {
  readonly tenantId: TenantId;
  /** Of what it keeps. */
  readonly bytes: number;
  forgetOldest(): void;
  /** What was said before `moment`, on the proxy's clock. */
  forgetBefore(moment: number): void;
}

/** One tenant may have a quarter of all: its traffic must not make the others' messages be forgotten. */
const tenantShare = 4;

class Book {
  readonly #most: number;
  readonly #keepers = new Set<Keeper>();
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get isEmpty(): boolean {
    return this.#keepers.size === 0;
  }

  get keepers(): Iterable<Keeper> {
    return this.#keepers;
  }

  enter(keeper: Keeper, bytes: number): void {
    this.#bytes += bytes;
    this.#keepers.add(keeper);
  }

  leave(keeper: Keeper, bytes: number): void {
    this.#bytes -= bytes;
    if (keeper.bytes === 0) this.#keepers.delete(keeper);
  }

  /** Each in turn forgets what is oldest, until there is room. */
  makeRoom(): void {
    while (this.#bytes > this.#most) {
      const [next] = this.#keepers;
      if (!next) return;
      next.forgetOldest();
      if (this.#keepers.delete(next)) this.#keepers.add(next);
    }
  }
}

/** What all sessions together keep for clients that lost their connection. */
export class ReplayBudget {
  readonly bounds: ReplayBounds;
  readonly now: () => number;
  readonly #all: Book;
  readonly #perTenant = new Map<string, Book>();

  constructor(bounds: ReplayBounds, now: () => number) {
    this.bounds = bounds;
    this.now = now;
    this.#all = new Book(bounds.total);
  }

  /** `keeper` keeps `bytes` more. It, or another, may be asked to forget something at once. */
  kept(keeper: Keeper, bytes: number): void {
    const tenant = this.#bookOf(keeper.tenantId);
    tenant.enter(keeper, bytes);
    this.#all.enter(keeper, bytes);
    tenant.makeRoom();
    this.#all.makeRoom();
  }

  /** `keeper` keeps `bytes` fewer, and has counted them off already. */
  forgot(keeper: Keeper, bytes: number): void {
    const { tenantId } = keeper;
    const tenant = this.#bookOf(tenantId);
    tenant.leave(keeper, bytes);
    if (tenant.isEmpty) this.#perTenant.delete(tenantId);
    this.#all.leave(keeper, bytes);
  }

  /** Forget what is too old. */
  sweep(): void {
    const moment = this.now() - this.bounds.keep;
    for (const keeper of [...this.#all.keepers]) keeper.forgetBefore(moment);
  }

  #bookOf(tenantId: TenantId): Book {
    let book = this.#perTenant.get(tenantId);
    if (!book) this.#perTenant.set(tenantId, (book = new Book(this.bounds.total / tenantShare)));
    return book;
  }
}
