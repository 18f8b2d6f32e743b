import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config/load-config.ts';
import { fileSignature } from '../files/file-signature.ts';
import { replaceFile } from '../files/replace-file.ts';
import type { MasterKeys } from '../secrets/vault/master-key.ts';
import { fetchMasterKeys } from '../secrets/vault/master-key-source.ts';
import type { VaultEditor } from '../secrets/vault/vault-editor.ts';
import type { Terminal } from './terminal.ts';

export const newMasterKey = (): string => randomBytes(32).toString('hex');

/** The keys of this proxy's vault. For a vault without anything in it, a key file that is not there is made. @throws {MasterKeyError} */
export async function masterKeysFor(
  terminal: Terminal,
  { secrets: { masterKey } }: Config,
  vault: VaultEditor,
): Promise<MasterKeys> {
  if ('file' in masterKey && vault.isEmpty && fileSignature(masterKey.file) === '') {
    await mkdir(path.dirname(masterKey.file), { recursive: true, mode: 0o700 });
    await replaceFile(masterKey.file, `${newMasterKey()}\n`);
    terminal.err(
      `Made a master key in ${masterKey.file}, mode 0600. Keep a copy where the vault is not: without it the vault is lost.\n`,
    );
  }
  return fetchMasterKeys(masterKey, process.env);
}
