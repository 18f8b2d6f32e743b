import path from 'node:path';
import type { Config } from '../config/load-config.ts';
import { tenantsSettings } from '../config/tenants-settings.ts';
import { assumedSources, openSecretSources } from '../secrets/open-sources.ts';
import { openTenants } from '../tenants/registry.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { idOfFile, listTenantFiles, shownPath } from '../tenants/tenant-file.ts';
import { systemClock } from '../time/clock.ts';
import type { Problem } from '../yaml/problem.ts';

export interface TenantsInFolder {
  readonly tenants: readonly Tenant[];
  readonly problems: readonly Problem[];
}

/**
 * The tenants folder as it is now, read as `proxy serve` reads it, whether a proxy runs or not.
 * `env` is where `${NAME}` is looked up; without it every secret counts as being there, because the proxy's
 * environment is seldom that of the operator's shell.
 */
export async function readTenants(
  config: Config,
  env?: Readonly<Record<string, string | undefined>>,
): Promise<TenantsInFolder> {
  const tenants = await openTenants({
    ...tenantsSettings(config),
    secrets: env
      ? openSecretSources(config.secrets, { baseDir: config.folder, env, clock: systemClock })
      : assumedSources,
    announce: () => undefined,
  });
  return { tenants: [...tenants.all()], problems: tenants.problems() };
}

/** The file of a tenant, or what to tell somebody who asked for it. */
export function findTenantFile(config: Config, id: string): { file: string } | { trouble: string } {
  const folder = config.tenants;
  const listed = listTenantFiles(folder, shownPath(folder));
  if ('problem' in listed) return { trouble: `${listed.problem.file}: ${listed.problem.message}` };
  // Found among what is there rather than made from the id, which may hold anything.
  const name = listed.names.find((each) => idOfFile(each) === id);
  if (name !== undefined) return { file: shownPath(path.join(folder, name)) };
  return { trouble: `there is no tenant of this name in ${shownPath(folder)}; see: proxy tenant list` };
}
