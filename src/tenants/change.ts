import type { Tenant, TenantChange } from './tenant.ts';

/** What one swap changed; a tenant that is the very same object did not change. */
export function changeBetween(
  before: ReadonlyMap<string, Tenant>,
  after: ReadonlyMap<string, Tenant>,
): TenantChange {
  const added: Tenant[] = [];
  const changed: { before: Tenant; after: Tenant }[] = [];
  const removed: Tenant[] = [];
  for (const [id, tenant] of after) {
    const old = before.get(id);
    if (!old) added.push(tenant);
    else if (old !== tenant) changed.push({ before: old, after: tenant });
  }
  for (const [id, tenant] of before) if (!after.has(id)) removed.push(tenant);
  return { added, changed, removed };
}
