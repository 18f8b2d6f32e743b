import path from 'node:path';
import { fileSignature } from '../files/file-signature.ts';
import type { Found } from './found.ts';
import { readMountedSecret } from './mounted-secret.ts';

/** Where secrets come from, and what they depend on. */
export interface SecretSources {
  /** What these tenants may need is fetched, ahead of reading their files. Never rejects: what is missing is told by `find`. */
  prepare(tenantIds: Iterable<string>): Promise<void>;
  /** The secrets as this tenant may have them. */
  of(tenantId: string): TenantSecrets;
}

export interface TenantSecrets {
  variable(name: string): string | undefined;
  /** A relative path starts from the folder of the configuration. */
  file(path: string): Found;
  vault(name: string): Found;
  /** What was looked at so far: when one of these changes, the tenant's file has to be read again. */
  readonly inputs: readonly Input[];
}

/** A file as it was when it was looked at. */
export interface Input {
  readonly path: string;
  readonly signature: string;
}

/** What `${vault:NAME}` is taken from. */
export interface VaultReader {
  prepare(tenantIds: Iterable<string>): Promise<void>;
  find(tenantId: string, name: string): Found;
  /** The file in which this tenant's secrets stand, as it was when it was read. */
  inputOf(tenantId: string): Input | undefined;
}

export interface SourcesParts {
  /** What `${NAME}` stands for: in the proxy, its own environment. */
  readonly lookup: (name: string) => string | undefined;
  /** Absolute: what relative paths in `${file:…}` start from. */
  readonly baseDir: string;
  readonly vault: VaultReader;
}

/** Of a vault that is locked: it is tried again at every look, for the key that is missing cannot be seen to come. */
const everAnother = 'locked';

export function createSecretSources({ lookup, baseDir, vault }: SourcesParts): SecretSources {
  return {
    prepare: (tenantIds) => vault.prepare(tenantIds),
    of(tenantId) {
      const inputs = new Map<string, Input>();
      const note = (input: Input) => inputs.set(input.path, input);
      return {
        variable: lookup,
        file(written) {
          const file = path.resolve(baseDir, written);
          // Before it is read: a change in between is then seen at the next look.
          note({ path: file, signature: fileSignature(file) });
          return readMountedSecret(file, written);
        },
        vault(name) {
          const found = vault.find(tenantId, name);
          const input = vault.inputOf(tenantId);
          const isLocked = !found.ok && found.trouble.code === 'VAULT_LOCKED';
          if (input) note(isLocked ? { ...input, signature: everAnother } : input);
          return found;
        },
        get inputs() {
          return [...inputs.values()];
        },
      };
    },
  };
}

/** Is one of these files another one than it was? */
export const hasChanged = (inputs: readonly Input[]): boolean =>
  inputs.some(({ path: file, signature }) => fileSignature(file) !== signature);
