import { readdirSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readRegularFile } from '../../files/read-regular-file.ts';
import { secretNamePattern } from '../references.ts';
import { sealedRecord, type WrittenRecord } from './record.ts';

/** More than anybody keeps for one tenant. */
const maxFileBytes = 4 * 1024 ** 2;

const vaultFile = z.strictObject({
  version: z.literal(1),
  tenant: z.string(),
  secrets: z.record(z.string().regex(secretNamePattern), sealedRecord),
});
/** One tenant's secrets, sealed. */
export type VaultFile = z.output<typeof vaultFile>;
/** As it is written. */
export interface WrittenVaultFile {
  readonly version: 1;
  readonly tenant: string;
  readonly secrets: Readonly<Record<string, WrittenRecord>>;
}

export type ReadVaultFile =
  | { readonly ok: true; readonly file: VaultFile; readonly written: WrittenVaultFile }
  /** `missing`, `damaged`, or a reason why it cannot be read. */
  | { readonly ok: false; readonly reason: string };

export const vaultPath = (folder: string, tenantId: string): string => path.join(folder, `${tenantId}.json`);

export function readVaultFile(folder: string, tenantId: string): ReadVaultFile {
  const read = readRegularFile(vaultPath(folder, tenantId), maxFileBytes);
  if (!read.ok) return { ok: false, reason: read.reason === 'ENOENT' ? 'missing' : read.reason };
  const written = parsed(read.bytes);
  const checked = vaultFile.safeParse(written);
  if (!checked.success || checked.data.tenant !== tenantId) return { ok: false, reason: 'damaged' };
  return { ok: true, file: checked.data, written: written as WrittenVaultFile };
}

/** The tenants that have something in the vault. */
export function tenantsInVault(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^[^.].*\.json$/.test(name))
      .map((name) => name.replace(/\.json$/, ''))
      .sort();
  } catch (thrown) {
    if ((thrown as { code?: string }).code === 'ENOENT') return [];
    throw thrown;
  }
}

/** The library's own message would quote the text. */
function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
