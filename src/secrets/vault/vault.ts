import { fileSignature } from '../../files/file-signature.ts';
import type { Clock } from '../../time/clock.ts';
import type { Found, Trouble } from '../found.ts';
import type { Input, VaultReader } from '../sources.ts';
import { MasterKeyError, type MasterKeys } from './master-key.ts';
import { fetchMasterKeys, type MasterKeySource, shownSource } from './master-key-source.ts';
import { type SealedRecord, unseal } from './record.ts';
import { type ReadVaultFile, readVaultFile, tenantsInVault, vaultPath } from './vault-file.ts';

export interface VaultParts {
  /** Absolute: a file for each tenant that has secrets here. */
  readonly folder: string;
  readonly masterKey: MasterKeySource;
  /** How long the master key stays in memory after it was fetched, in milliseconds. */
  readonly cache: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/** All that one look at the tenants needs, however long it takes. */
interface Prepared {
  readonly files: ReadonlyMap<string, { readonly read: ReadVaultFile; readonly input: Input }>;
  readonly keys: MasterKeys | undefined;
}

/**
 * The encrypted secrets, read ahead for the tenants that are about to be looked at. The master key is fetched when it is
 * needed and forgotten a while later; when a record names one that is not at hand, the source is asked once more, so
 * that a new master key needs no restart.
 */
export class Vault implements VaultReader {
  readonly #parts: VaultParts;
  #prepared: Prepared = { files: new Map(), keys: undefined };
  #keys: MasterKeys | undefined;
  /** Why there is no master key. */
  #trouble: string | undefined;
  #stopForgetting: () => void = () => undefined;

  constructor(parts: VaultParts) {
    this.#parts = parts;
  }

  async prepare(tenantIds: Iterable<string>): Promise<void> {
    const { folder } = this.#parts;
    const known = knownTenants(folder);
    const files = new Map<string, { read: ReadVaultFile; input: Input }>();
    const needed = new Set<string>();
    for (const id of tenantIds) {
      const path = vaultPath(folder, id);
      const input = { path, signature: fileSignature(path) };
      // With ten thousand tenants and an empty vault not one file is looked for.
      const isThere = known?.has(id) ?? true;
      const read: ReadVaultFile = isThere ? readVaultFile(folder, id) : { ok: false, reason: 'missing' };
      files.set(id, { read, input });
      if (read.ok) for (const { masterKey } of Object.values(read.file.secrets)) needed.add(masterKey);
    }
    const isAtHand = (id: string) => this.#keys?.some((key) => key.id === id) ?? false;
    if (![...needed].every(isAtHand)) await this.#fetchKeys();
    this.#prepared = { files, keys: this.#keys };
  }

  find(tenantId: string, name: string): Found {
    const { read } = this.#prepared.files.get(tenantId) ?? {};
    if (read?.ok === true) {
      const { secrets } = read.file;
      const record = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
      return record ? this.#open({ tenantId, name }, record) : missing(tenantId, name);
    }
    if (read === undefined || read.reason === 'missing') return missing(tenantId, name);
    const file = vaultPath(this.#parts.folder, tenantId);
    if (read.reason === 'damaged') {
      return trouble(
        'VAULT_DAMAGED',
        `${file} is no vault file of ${tenantId}; put it back from a backup, or remove it and set its secrets anew`,
      );
    }
    return trouble('UNREADABLE', `${file} cannot be read: ${read.reason}; look at its owner and mode`);
  }

  inputOf(tenantId: string): Input | undefined {
    return this.#prepared.files.get(tenantId)?.input;
  }

  #open(place: { tenantId: string; name: string }, record: SealedRecord): Found {
    const master = this.#prepared.keys?.find(({ id }) => id === record.masterKey);
    if (!master) return this.#locked(record);
    const value = unseal(place, record, master);
    if (value !== undefined) return { ok: true, value };
    return trouble(
      'VAULT_DAMAGED',
      `${place.name} in the vault was changed by another hand, or moved there from another tenant or name; set it anew: proxy secret set ${place.tenantId} ${place.name}`,
    );
  }

  #locked({ masterKey }: SealedRecord): Found {
    if (this.#trouble !== undefined) return trouble('VAULT_LOCKED', this.#trouble);
    const source = shownSource(this.#parts.masterKey);
    const [have] = this.#prepared.keys ?? [];
    return trouble(
      'VAULT_LOCKED',
      `This was sealed with the master key ${masterKey}, and ${source} has ${have?.id ?? 'none'}; put that key back, or on a line below the new one and run: proxy secret rotate`,
    );
  }

  async #fetchKeys(): Promise<void> {
    const { masterKey, env, clock, cache } = this.#parts;
    this.#stopForgetting();
    try {
      this.#keys = await fetchMasterKeys(masterKey, env);
      this.#trouble = undefined;
      this.#stopForgetting = clock.after(cache, () => (this.#keys = undefined));
    } catch (thrown) {
      if (!(thrown instanceof MasterKeyError)) throw thrown;
      this.#keys = undefined;
      this.#trouble = thrown.message;
    }
  }
}

/** Undefined for a folder that may not be listed: each file then says so itself. */
function knownTenants(folder: string): ReadonlySet<string> | undefined {
  try {
    return new Set(tenantsInVault(folder));
  } catch {
    return undefined;
  }
}

const missing = (tenantId: string, name: string): Found =>
  trouble(
    'MISSING_SECRET',
    `the vault has no ${name} of ${tenantId}; put it there with: proxy secret set ${tenantId} ${name}`,
  );

const trouble = (code: Trouble['code'], message: string): Found => ({
  ok: false,
  trouble: { code, message },
});
