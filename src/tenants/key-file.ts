import { constants } from 'node:fs';
import { access, readFile, realpath } from 'node:fs/promises';
import { z } from 'zod';
import { type KeyEntry, keyEntry } from '../auth/api-key.ts';
import { replaceFile } from '../files/replace-file.ts';
import { addToList, EditError, removeFromList } from '../yaml/edit-list.ts';
import { readYaml } from '../yaml/read-yaml.ts';

/** The file cannot be changed; the message says why and what to do, and quotes nothing of it. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

/** The keys in a tenant's file, whatever else may be wrong with it. @throws {KeyFileError} */
export async function listKeys(file: string): Promise<readonly KeyEntry[]> {
  const read = readYaml(await readText(file), file, z.looseObject({ keys: z.array(keyEntry).default([]) }));
  if (read.ok) return read.value.keys;
  const [{ line, message } = { line: 0, message: 'it is not sound' }] = read.problems;
  throw new KeyFileError(`cannot read the keys in ${file}, line ${line}: ${message}`);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    throw new KeyFileError(`cannot read ${file}: ${reasonOf(thrown)}`);
  }
}

/** Writes a key's digest into a tenant's file, comments and layout kept. @throws {KeyFileError} */
export async function addKey(file: string, entry: KeyEntry): Promise<void> {
  const item = Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >;
  await edit(file, (text) => addToList(text, 'keys', item));
}

/** Takes a key out of a tenant's file; false if there is none of that name. @throws {KeyFileError} */
export async function revokeKey(file: string, name: string): Promise<boolean> {
  let found = false;
  await edit(file, (text) => {
    const without = removeFromList(text, 'keys', 'name', name);
    found = without !== undefined;
    return without;
  });
  return found;
}

async function edit(file: string, change: (text: string) => string | undefined): Promise<void> {
  try {
    // A link stays a link; what it leads to is changed.
    const target = await realpath(file);
    const text = await readFile(target, 'utf8');
    const changed = change(text);
    if (changed === undefined) return;
    await access(target, constants.W_OK);
    await replaceFile(target, changed);
  } catch (thrown) {
    throw new KeyFileError(`cannot change ${file}: ${reasonOf(thrown)}`);
  }
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof EditError) return `${thrown.message}; see proxy check`;
  const { code } = thrown as { code?: string };
  if (code === 'ENOENT') return 'it is not there';
  if (code === 'EACCES' || code === 'EPERM') return 'you may not; run this as the user who owns it';
  if (code === 'EROFS') return 'it is on a read-only file system; change it where it comes from';
  return code ?? 'it failed';
}
