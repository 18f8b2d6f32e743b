import type { TenantId } from '../calls/ids.ts';
import { tryAgain } from '../calls/try-again.ts';

/** What the proxy has too much of, if it has. */
export type Strain = 'loop' | 'memory' | undefined;

export interface AdmissionParts {
  /** Calls of all tenants together that may be on their way. */
  readonly max: number;
  /** Calls of one tenant. */
  readonly maxPerTenant: number;
  readonly strain: () => Strain;
}

/**
 * Is there room for one more call? A tenant that has none on its way is always let in, so that what others do costs it
 * time and never its answer; there are no more of those than there are tenants.
 */
export class Admission {
  readonly #parts: AdmissionParts;
  readonly #byTenant = new Map<TenantId, number>();
  #total = 0;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** Every one that got in must `leave`. @throws {ProxyError} TENANT_BUSY, OVERLOADED */
  enter(tenantId: TenantId): void {
    const own = this.#byTenant.get(tenantId) ?? 0;
    if (own > 0) this.#check(own);
    this.#byTenant.set(tenantId, own + 1);
    this.#total++;
  }

  leave(tenantId: TenantId): void {
    const own = this.#byTenant.get(tenantId) ?? 0;
    if (own > 1) this.#byTenant.set(tenantId, own - 1);
    else this.#byTenant.delete(tenantId);
    this.#total--;
  }

  #check(own: number): void {
    const { max, maxPerTenant, strain } = this.#parts;
    if (own >= maxPerTenant) throw busy(maxPerTenant);
    if (this.#total >= max) throw overloaded(`${max} calls are on their way (limits.inFlight)`);
    const strained = strain();
    if (strained !== undefined) throw overloaded(words[strained]);
  }
}

const words = {
  loop: 'the proxy is slow to answer (limits.loopDelay)',
  memory: 'the proxy is short of memory (limits.memory)',
};

const busy = (max: number) => tryAgain('TENANT_BUSY', `${max} calls of this tenant are on their way`, 5000);

const overloaded = (why: string) => tryAgain('OVERLOADED', why, 10_000);
