import { type TenantChange } from '../tenants/tenant.ts';
import { type Status } from './status.ts';

/** What an operator can ask of a running proxy. The proxy of `app.ts` is one. */
export interface Actions {
  status(): Promise<Status>;
  /** Look at the tenants folder now. */
  reload(): Promise<TenantChange>;
  /** New workers for this tenant, old ones drain. Throws TENANT_NOT_CONFIGURED. How many were replaced. */
  restart(tenantId: string): Promise<number>;
  /** End idle workers now, of one tenant or of all. How many ended. */
  reap(tenantId?: string): Promise<number>;
}

/** The answer to `POST /v1/reload`: ids only, because a tenant holds secrets. */
export interface ReloadReport {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}
/** The answer to `POST /v1/tenants/:id/restart` and `POST /v1/reap`. */
export interface WorkerReport {
  readonly workers: number;
}
/** The answer where something went wrong. */
export interface AdminError {
  readonly code: string;
  readonly message: string;
}
