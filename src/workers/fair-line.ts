/** What one tenant has of something that all tenants share, and what of it waits for more. */
interface Share<Waiting> {
  held: number;
  /** The first to come first. */
  readonly waiting: Waiting[];
  /** The later, the higher. */
  servedAt: number;
}

/**
 * Who waits for one of a few things that all tenants share. The next is of the tenant that holds the fewest; of several
 * such, of the one that was served longest ago. So of another tenant that holds as many, at most one goes first, however
 * many of it wait, and whoever comes later goes later.
 */
export class FairLine<Waiting> {
  readonly #shares = new Map<string, Share<Waiting>>();
  #served = 0;
  #size = 0;

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** How many the tenant holds. */
  heldBy(tenantId: string): number {
    return this.#shares.get(tenantId)?.held ?? 0;
  }

  /** Tenants somebody of whom waits. */
  *waitingTenants(): Iterable<string> {
    for (const [tenantId, { waiting }] of this.#shares) if (waiting.length > 0) yield tenantId;
  }

  wait(tenantId: string, waiting: Waiting): void {
    this.#share(tenantId).waiting.push(waiting);
    this.#size++;
  }

  /** Whose turn it is; who does not take what is offered is out of the line all the same. */
  next(): { readonly tenantId: string; readonly waiting: Waiting } | undefined {
    let first: [string, Share<Waiting>] | undefined;
    for (const entry of this.#shares) {
      if (entry[1].waiting.length > 0 && (!first || isBefore(entry[1], first[1]))) first = entry;
    }
    if (!first) return undefined;
    const [tenantId, share] = first;
    const [waiting] = share.waiting.splice(0, 1) as [Waiting];
    this.#size--;
    this.#forgetIdle(tenantId, share);
    return { tenantId, waiting };
  }

  /** The tenant holds one more. */
  took(tenantId: string): void {
    const share = this.#share(tenantId);
    share.held++;
    share.servedAt = ++this.#served;
  }

  /** The tenant holds one less. */
  gaveBack(tenantId: string): void {
    const share = this.#share(tenantId);
    share.held--;
    this.#forgetIdle(tenantId, share);
  }

  #forgetIdle(tenantId: string, { held, waiting }: Share<Waiting>): void {
    if (held === 0 && waiting.length === 0) this.#shares.delete(tenantId);
  }

  #share(tenantId: string): Share<Waiting> {
    let share = this.#shares.get(tenantId);
    // Who comes anew counts as served just now: it is not before those who have waited since they were.
    if (!share) this.#shares.set(tenantId, (share = { held: 0, waiting: [], servedAt: this.#served }));
    return share;
  }
}

const isBefore = (a: Share<unknown>, b: Share<unknown>) =>
  a.held === b.held ? a.servedAt < b.servedAt : a.held < b.held;
