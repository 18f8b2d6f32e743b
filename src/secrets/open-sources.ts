import type { Clock } from '../time/clock.ts';
import { createSecretSources, type SecretSources } from './sources.ts';
import type { MasterKeySource } from './vault/master-key-source.ts';
import { Vault } from './vault/vault.ts';

/** `secrets:` of the configuration, read; paths are absolute. */
export interface SecretSettings {
  readonly vault: string;
  readonly masterKey: MasterKeySource;
  /** In milliseconds. */
  readonly cache: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The sources as the configuration has them: `${NAME}` from `env`, files from `baseDir`, the vault. */
export function openSecretSources(
  settings: SecretSettings,
  { baseDir, env, clock }: { readonly baseDir: string; readonly env: Environment; readonly clock: Clock },
): SecretSources {
  const { vault: folder, masterKey, cache } = settings;
  const vault = new Vault({ folder, masterKey, cache, env, clock });
  return createSecretSources({ lookup: (name) => env[name], baseDir, vault });
}

const nothing = { ok: true, value: '' } as const;

/** Every reference leads somewhere, and nothing is looked at: for who only wants to know which tenants there are. */
export const assumedSources: SecretSources = {
  prepare: () => Promise.resolve(),
  of: () => ({ variable: () => '', file: () => nothing, vault: () => nothing, inputs: [] }),
};
