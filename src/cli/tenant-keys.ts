import type { Config } from '../config/load-config.ts';
import { KeyFileError } from '../tenants/key-file.ts';
import { createAdminClient } from './admin-client.ts';
import { readConfig } from './read-config.ts';
import { findTenantFile } from './read-tenants.ts';
import type { ExitCode, Terminal } from './terminal.ts';

export interface TenantOptions {
  readonly config: string;
  readonly tenant: string;
}

/** Runs `work` on a tenant's file, and says in one way for all commands what can go wrong. */
export async function onTenantFile(
  terminal: Terminal,
  { config: configFile, tenant }: TenantOptions,
  work: (file: string, config: Config) => Promise<ExitCode>,
): Promise<ExitCode> {
  const config = readConfig(terminal, configFile);
  if (config === undefined) return 1;
  const found = findTenantFile(config, tenant);
  if ('trouble' in found) {
    terminal.err(`${found.trouble}\n`);
    return 1;
  }
  try {
    return await work(found.file, config);
  } catch (thrown) {
    if (!(thrown instanceof KeyFileError)) throw thrown;
    terminal.err(`${thrown.message}\n`);
    return 1;
  }
}

/** Tells a proxy that runs to look at the folder, so that the change is in force when the command ends. */
export async function tellRunningProxy(config: Config): Promise<'told' | 'none runs'> {
  try {
    await createAdminClient(config.admin.socket).post('/v1/reload');
    return 'told';
  } catch {
    // It watches the folder anyway; and where none runs there is nobody to tell.
    return 'none runs';
  }
}
