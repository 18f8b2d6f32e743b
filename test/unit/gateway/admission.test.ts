import { describe, expect, test } from 'vitest';
import type { TenantId } from '../../../src/calls/ids.ts';
import { ProxyError } from '../../../src/calls/error.ts';
import { Admission, type Strain } from '../../../src/gateway/admission.ts';

const [acme, globex] = ['acme', 'globex'] as TenantId[] as [TenantId, TenantId];

function codeOf(run: () => void): string {
  try {
    run();
    return 'in';
  } catch (thrown) {
    if (!(thrown instanceof ProxyError)) throw thrown;
    expect(thrown.retryAfterMs).toBeGreaterThanOrEqual(1000);
    expect(thrown.retryAfterMs).toBeLessThanOrEqual(10_000);
    expect(thrown.executed).toBe('no');
    return thrown.code;
  }
}

function opened(limits: { max?: number; maxPerTenant?: number } = {}) {
  let strain: Strain;
  const admission = new Admission({ max: 100, maxPerTenant: 100, strain: () => strain, ...limits });
  const enter = (tenantId: TenantId) => codeOf(() => admission.enter(tenantId));
  return { admission, enter, suffer: (of: Strain) => (strain = of) };
}

describe('one more call', () => {
  test('is let in up to the number of its tenant, and again once one has left', () => {
    const { admission, enter } = opened({ maxPerTenant: 2 });
    expect([enter(acme), enter(acme), enter(acme)]).toEqual(['in', 'in', 'TENANT_BUSY']);
    expect(enter(globex)).toBe('in');
    admission.leave(acme);
    expect([enter(acme), enter(acme)]).toEqual(['in', 'TENANT_BUSY']);
  });

  test('is refused where all together have too many, but not to who has none', () => {
    const { admission, enter } = opened({ max: 3 });
    expect([enter(acme), enter(acme), enter(acme), enter(acme)]).toEqual(['in', 'in', 'in', 'OVERLOADED']);
    expect([enter(globex), enter(globex)]).toEqual(['in', 'OVERLOADED']);
    admission.leave(acme);
    admission.leave(acme);
    expect([enter(globex), enter(acme)]).toEqual(['in', 'OVERLOADED']);
  });

  test.each(['loop', 'memory'] as const)('short of %s: who has one on its way gets no other in', (of) => {
    const { admission, enter, suffer } = opened();
    expect(enter(acme)).toBe('in');
    suffer(of);
    expect([enter(acme), enter(globex), enter(globex)]).toEqual(['OVERLOADED', 'in', 'OVERLOADED']);
    admission.leave(acme);
    expect(enter(acme)).toBe('in');
    suffer(undefined);
    expect(enter(acme)).toBe('in');
  });
});
