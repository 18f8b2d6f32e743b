import type { Config } from './config.ts';
import { hiddenFrom } from './launcher-settings.ts';

/** What the configuration says of where tenants' files are, and of how they are read. */
export function tenantsSettings(config: Config) {
  const { tenants, folder, defaults, tenantIds } = config;
  return {
    ...{ folder: tenants, baseDir: folder, defaults, idPattern: tenantIds.pattern },
    hidden: () => hiddenFrom(config),
  };
}
