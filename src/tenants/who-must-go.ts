import type { TenantId } from '../calls/ids.ts';
import type { Tenant, TenantChange } from './tenant.ts';

/** A session, or a caller who listens. */
interface Guest {
  readonly tenantId: TenantId;
  readonly keyName: string;
  readonly server: string;
}

/** After a change: whose tenant, key or server is gone? */
export function whoMustGo({
  changed,
  removed,
}: Pick<TenantChange, 'changed' | 'removed'>): (guest: Guest) => boolean {
  const now = new Map<TenantId, Tenant | undefined>();
  for (const { id } of removed) now.set(id, undefined);
  for (const { after } of changed) now.set(after.id, after);
  return ({ tenantId, keyName, server }) => now.has(tenantId) && !mayStay(now.get(tenantId), keyName, server);
}

function mayStay(tenant: Tenant | undefined, keyName: string, server: string): boolean {
  if (!tenant?.enabled || !tenant.servers.has(server)) return false;
  return tenant.keys.some(({ name }) => name === keyName);
}
