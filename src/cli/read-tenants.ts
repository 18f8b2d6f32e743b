import { type Config } from '../config/load-config.ts';
import { type Tenant } from '../tenants/tenant.ts';
import { type Problem } from '../yaml/problem.ts';
import { openTenants } from '../tenants/registry.ts';

export interface TenantsInFolder {
  readonly tenants: readonly Tenant[];
  readonly problems: readonly Problem[];
}

/** The tenants folder as it is now, read as `proxy serve` reads it, whether a proxy runs or not. */
export async function readTenants(config: Config): Promise<TenantsInFolder> {
  throw new Error('not yet');
}
