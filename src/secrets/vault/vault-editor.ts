import { rm } from 'node:fs/promises';
import path from 'node:path';
import { whileLocked } from '../../files/file-lock.ts';
import { replaceFile } from '../../files/replace-file.ts';
import { maxSecretBytes } from '../mounted-secret.ts';
import { secretNamePattern } from '../references.ts';
import type { MasterKey, MasterKeys } from './master-key.ts';
import { seal, type SealedRecord, type SecretPlace, unseal, type WrittenRecord } from './record.ts';
import {
  readVaultFile,
  tenantsInVault,
  type VaultFile,
  vaultPath,
  type WrittenVaultFile,
} from './vault-file.ts';

/** The vault cannot be changed so; the message says why and what to do, and holds no value. */
export class VaultError extends Error {
  override readonly name = 'VaultError';
}

export interface ListedSecret {
  readonly tenant: string;
  readonly name: string;
  readonly updated: string;
  /** The id of the master key it is sealed with. */
  readonly masterKey: string;
}

/** Gives the master keys; asked while nobody else changes the vault, so that nothing is sealed with a key that is on its way out. */
export type FetchKeys = () => Promise<MasterKeys>;

/** What is to be done beside while everything is sealed anew. */
interface RotateSteps {
  readonly ready?: () => Promise<void>;
  readonly done?: () => Promise<void>;
}
const nothing = (): Promise<void> => Promise.resolve();

/** Changes the vault, one command at a time; the proxy reads it meanwhile, and sees each file whole. */
export class VaultEditor {
  readonly #folder: string;
  readonly #now: () => Date;

  /** `folder` is absolute, and made if it is not there. */
  constructor(folder: string, now: () => Date = () => new Date()) {
    this.#folder = folder;
    this.#now = now;
  }

  /** What there is, without what it is. @throws {VaultError} */
  list(tenantId?: string): readonly ListedSecret[] {
    const tenants = tenantId === undefined ? tenantsInVault(this.#folder) : [tenantId];
    return tenants.flatMap((tenant) =>
      Object.entries(this.#read(tenant)?.file.secrets ?? {})
        .map(([name, { updated, masterKey }]) => ({ tenant, name, updated, masterKey }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
  }

  get isEmpty(): boolean {
    return tenantsInVault(this.#folder).length === 0;
  }

  /** Puts a secret in; true if it takes the place of another. @throws {VaultError} */
  async set({ tenantId, name }: SecretPlace, value: string, keys: FetchKeys): Promise<boolean> {
    requireValue(value);
    return this.#locked(async () => {
      const fetched = await keys();
      const [master] = fetched;
      const secrets = this.#written(tenantId);
      this.#requireFitting({ tenantId, name }, fetched);
      const wasThere = Object.hasOwn(secrets, name);
      await this.#write(tenantId, {
        ...secrets,
        [name]: seal({ tenantId, name }, value, master, this.#now()),
      });
      return wasThere;
    });
  }

  /** Takes a secret out; false if there is none of that name. @throws {VaultError} */
  async remove(tenantId: string, name: string): Promise<boolean> {
    return this.#locked(async () => {
      const secrets = this.#written(tenantId);
      if (!Object.hasOwn(secrets, name)) return false;
      const left = Object.entries(secrets).filter(([each]) => each !== name);
      if (left.length > 0) await this.#write(tenantId, Object.fromEntries(left));
      else await rm(vaultPath(this.#folder, tenantId), { force: true });
      return true;
    });
  }

  /**
   * Seals everything anew with the first of the master keys; returns how many records were sealed with another one.
   * Nothing is written if one of them cannot be opened. `ready` is run when all have been opened, before anything is
   * written, and `done` before anybody else may change the vault. @throws {VaultError}
   */
  async rotate(keys: FetchKeys, { ready = nothing, done = nothing }: RotateSteps = {}): Promise<number> {
    return this.#locked(async () => {
      const fetched = await keys();
      const files = tenantsInVault(this.#folder).flatMap((tenantId) => this.#resealed(tenantId, fetched));
      await ready();
      for (const { tenantId, secrets } of files) await this.#write(tenantId, secrets);
      await done();
      return files.reduce((total, { count }) => total + count, 0);
    });
  }

  /**
   * A wrong master key must not get in: if the vault has other records, one of them is sealed with a key that is at
   * hand. Files that cannot be read are no witnesses.
   */
  #requireFitting({ tenantId, name }: SecretPlace, keys: MasterKeys): void {
    let sealed: string | undefined;
    for (const tenant of new Set([tenantId, ...tenantsInVault(this.#folder)])) {
      const read = readVaultFile(this.#folder, tenant);
      for (const [each, { masterKey }] of Object.entries(read.ok ? read.file.secrets : {})) {
        if (tenant === tenantId && each === name) continue;
        if (keys.some(({ id }) => id === masterKey)) return;
        sealed = masterKey;
      }
    }
    if (sealed === undefined) return;
    throw new VaultError(
      `nothing was written: the vault is sealed with the master key ${sealed}, and the one at hand is ${keys[0].id}; ` +
        `put the right one back where secrets.masterKey says, or on a line below the new one. If it is lost, remove ${this.#folder} and set its secrets anew`,
    );
  }

  #resealed(tenantId: string, keys: MasterKeys) {
    const [first] = keys;
    const secrets: VaultFile['secrets'] = this.#read(tenantId)?.file.secrets ?? {};
    const old = Object.entries(secrets).filter(([, { masterKey }]) => masterKey !== first.id);
    if (old.length === 0) return [];
    const fresh = old.map(([name, record]) => {
      const place = { tenantId, name };
      return [name, seal(place, opened(place, record, keys), first, this.#now())] as const;
    });
    const all = { ...this.#written(tenantId), ...Object.fromEntries(fresh) };
    return [{ tenantId, secrets: all, count: fresh.length }];
  }

  #read(tenantId: string): { file: VaultFile; written: WrittenVaultFile } | undefined {
    const read = readVaultFile(this.#folder, tenantId);
    if (read.ok) return read;
    if (read.reason === 'missing') return undefined;
    const file = vaultPath(this.#folder, tenantId);
    throw new VaultError(
      read.reason === 'damaged'
        ? `${file} is no vault file of ${tenantId}; put it back from a backup, or remove it and set its secrets anew`
        : `${file} cannot be read: ${read.reason}; run this as the proxy's user`,
    );
  }

  #written(tenantId: string): Readonly<Record<string, WrittenRecord>> {
    return this.#read(tenantId)?.written.secrets ?? {};
  }

  async #write(tenantId: string, secrets: Readonly<Record<string, WrittenRecord>>): Promise<void> {
    const file: WrittenVaultFile = { version: 1, tenant: tenantId, secrets };
    await replaceFile(vaultPath(this.#folder, tenantId), `${JSON.stringify(file, null, 2)}\n`);
  }

  async #locked<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await whileLocked(path.join(this.#folder, '.lock'), work);
    } catch (thrown) {
      const { code } = thrown as { code?: string };
      if (code === undefined) throw thrown;
      throw new VaultError(`cannot change the vault ${this.#folder}: ${code}; run this as the proxy's user`);
    }
  }
}

function opened(place: SecretPlace, record: SealedRecord, keys: readonly MasterKey[]): string {
  const master = keys.find(({ id }) => id === record.masterKey);
  if (!master) {
    throw new VaultError(
      `${place.name} of ${place.tenantId} is sealed with the master key ${record.masterKey}, which is not at hand; put it on a line below the new one, then run this again`,
    );
  }
  const value = unseal(place, record, master);
  if (value !== undefined) return value;
  throw new VaultError(
    `${place.name} of ${place.tenantId} is damaged; take it out with: proxy secret rm ${place.tenantId} ${place.name}`,
  );
}

/** @throws {VaultError} */
export function requireSecretName(name: string): void {
  if (secretNamePattern.test(name)) return;
  // It may be the secret itself, put where its name belongs.
  throw new VaultError(
    'a secret is named with letters, digits, "_", "-" and ".", at most 128; its value comes from stdin, never from the command line',
  );
}

function requireValue(value: string): void {
  if (value === '') throw new VaultError('nothing came from stdin; pipe the value in, or type it when asked');
  if (value.includes('\0'))
    throw new VaultError('a variable cannot hold a zero byte; encode the value first');
  if (Buffer.byteLength(value) > maxSecretBytes)
    throw new VaultError(
      `a secret is at most ${maxSecretBytes / 1024} KiB; mount a file and name it instead`,
    );
}
