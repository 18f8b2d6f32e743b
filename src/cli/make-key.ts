import { createKey } from '../auth/new-key.ts';
import { addKey } from '../tenants/key-file.ts';

/** Makes a key, writes its digest into a tenant's file, and returns the key, which nobody keeps. @throws {KeyFileError} */
export async function makeKey(file: string, name: string, expires?: string): Promise<string> {
  const { key, sha256 } = createKey();
  const entry = { name, sha256, created: new Date().toISOString().slice(0, 10) };
  await addKey(file, expires === undefined ? entry : { ...entry, expires });
  return key;
}
