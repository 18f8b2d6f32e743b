import { clientTexts, keyPlaceholder } from '../client-texts.ts';
import { problemLines } from '../problems.ts';
import { readConfig } from '../read-config.ts';
import { readTenants } from '../read-tenants.ts';
import { localUrl, targetsOf } from '../targets.ts';
import type { TenantOptions } from '../tenant-keys.ts';
import type { ExitCode, Terminal } from '../terminal.ts';

interface ClientConfigOptions extends TenantOptions {
  readonly key?: string;
  readonly url?: string;
}

export async function clientConfig(terminal: Terminal, options: ClientConfigOptions): Promise<ExitCode> {
  const config = readConfig(terminal, options.config);
  if (config === undefined) return 1;
  const { tenants, problems } = await readTenants(config);
  const tenant = tenants.find(({ id }) => id === options.tenant);
  if (tenant === undefined) {
    terminal.err(`there is no tenant ${options.tenant} that can be read; see: proxy tenant list\n`);
    terminal.err(problemLines(problems));
    return 1;
  }
  const { key = keyPlaceholder, url = localUrl(config.listen) } = options;
  for (const target of targetsOf(tenant, url.replace(/\/$/, ''), key)) {
    terminal.out(`${target.name} at ${target.url}\n\n${clientTexts(target)}\n`);
  }
  if (options.key === undefined) {
    terminal.err(
      `Put a key where ${keyPlaceholder} stands; make one with: proxy key create ${tenant.id} --name NAME\n`,
    );
  }
  return 0;
}
