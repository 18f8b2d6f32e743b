import { mkdir, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const retryMs = 50;
const giveUpMs = 10_000;

/** Somebody else holds it and does not let go. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
}

/** One command at a time: runs `work` while the file `lock` is ours. One that was left by a process that is gone is taken over. */
export async function whileLocked<Result>(lock: string, work: () => Promise<Result>): Promise<Result> {
  await mkdir(path.dirname(lock), { recursive: true, mode: 0o700 });
  await take(lock);
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function take(lock: string): Promise<void> {
  for (let waited = 0; ; waited += retryMs) {
    try {
      const handle = await open(lock, 'wx', 0o600);
      await handle.writeFile(String(process.pid));
      await handle.close();
      return;
    } catch (thrown) {
      if ((thrown as { code?: string }).code !== 'EEXIST') throw thrown;
    }
    if (waited >= giveUpMs)
      throw new LockedError(`another command holds ${lock}; if there is none, remove that file`);
    // Its holder is asked for after a moment only: it may not have written its number yet.
    if (waited > 0 && (await isAbandoned(lock))) await rm(lock, { force: true });
    else await pause(retryMs);
  }
}

async function isAbandoned(lock: string): Promise<boolean> {
  const pid = Number(await readFile(lock, 'utf8').catch(() => ''));
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (thrown) {
    return (thrown as { code?: string }).code === 'ESRCH';
  }
}
