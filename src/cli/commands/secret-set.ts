import { readFile } from 'node:fs/promises';
import type { Config } from '../../config/load-config.ts';
import { requireSecretName } from '../../secrets/vault/vault-editor.ts';
import { masterKeysFor } from '../master-keys.ts';
import { isTenantId, noSuchId, onVault } from '../on-vault.ts';
import { findTenantFile } from '../read-tenants.ts';
import { type Input, readValue } from '../read-value.ts';
import { tellRunningProxy } from '../tenant-keys.ts';
import type { ExitCode, Terminal } from '../terminal.ts';

interface SecretOptions {
  readonly config: string;
  readonly tenant: string;
  readonly name: string;
}

export function secretSet(
  terminal: Terminal,
  { config: configFile, tenant, name }: SecretOptions,
  input: Input,
): Promise<ExitCode> {
  return onVault(terminal, configFile, async (vault, config) => {
    if (!isTenantId(tenant, config)) {
      terminal.err(noSuchId(config));
      return 1;
    }
    // Before it is asked for, and never quoted: it may be the value itself.
    requireSecretName(name);
    const value = await readValue(terminal, input, `Value of ${name}`);
    const wasThere = await vault.set({ tenantId: tenant, name }, value, () =>
      masterKeysFor(terminal, config, vault),
    );
    const told = await tellRunningProxy(config);
    terminal.out(`${wasThere ? 'Changed' : 'Set'} ${name} of ${tenant}\n`);
    if (!(await isReferredTo(config, tenant, name)))
      terminal.err(
        `Nothing takes it yet; in ${tenant}'s file write: env: { ${name}: "\${vault:${name}}" }\n`,
      );
    else if (told === 'told') terminal.err('The running proxy gives it to new workers from now on.\n');
    return 0;
  });
}

/** Does a tenant's file take this secret? */
export async function isReferredTo(config: Config, tenant: string, name: string): Promise<boolean> {
  const found = findTenantFile(config, tenant);
  if ('trouble' in found) return false;
  const text = await readFile(found.file, 'utf8').catch(() => '');
  return text.includes(`\${vault:${name}}`);
}
