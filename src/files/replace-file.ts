import { randomBytes } from 'node:crypto';
import { chmod, chown, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * Whole or not at all: a new file beside the old one takes its place in one step, with the old one's owner and mode;
 * one that is new has mode 0600. Rejects with the system's error.
 */
export async function replaceFile(file: string, text: string): Promise<void> {
  const before = await stat(file).catch((thrown: unknown) => {
    if ((thrown as { code?: string }).code !== 'ENOENT') throw thrown;
    return undefined;
  });
  // Hidden, so that nobody who watches the folder takes it for one that counts.
  const fresh = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}`);
  try {
    const handle = await open(fresh, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (before) {
      await chmod(fresh, before.mode & 0o7777);
      // As somebody else than root it stays ours, which is what it was, or must be.
      await chown(fresh, before.uid, before.gid).catch(() => undefined);
    }
    await rename(fresh, file);
  } catch (thrown) {
    await rm(fresh, { force: true });
    throw thrown;
  }
}
