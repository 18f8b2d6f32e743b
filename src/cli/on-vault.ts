import type { Config } from '../config/load-config.ts';
import { LockedError } from '../files/file-lock.ts';
import { MasterKeyError } from '../secrets/vault/master-key.ts';
import { VaultEditor, VaultError } from '../secrets/vault/vault-editor.ts';
import { readConfig } from './read-config.ts';
import type { ExitCode, Terminal } from './terminal.ts';

/** Runs `work` on the vault, and says in one way for all commands what can go wrong. */
export async function onVault(
  terminal: Terminal,
  configFile: string,
  work: (vault: VaultEditor, config: Config) => Promise<ExitCode>,
): Promise<ExitCode> {
  const config = readConfig(terminal, configFile);
  if (config === undefined) return 1;
  try {
    return await work(new VaultEditor(config.secrets.vault), config);
  } catch (thrown) {
    const isTold =
      thrown instanceof VaultError || thrown instanceof MasterKeyError || thrown instanceof LockedError;
    if (!isTold) throw thrown;
    terminal.err(`${thrown.message}\n`);
    return 1;
  }
}

/** Can this be a tenant's id? It becomes the name of a file. */
export function isTenantId(text: string, config: Config): boolean {
  return new RegExp(`^(?:${config.tenantIds.pattern})$`).test(text) && /^[^./\0][^/\0]*$/.test(text);
}

export const noSuchId = (config: Config): string =>
  `this is no tenant id: it must match ${config.tenantIds.pattern} (tenantIds.pattern in proxy.config.yaml)\n`;
