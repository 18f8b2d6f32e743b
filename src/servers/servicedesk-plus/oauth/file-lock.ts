import { randomUUID } from 'node:crypto';
import { readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** A holder that has not let go for so long is gone; longer than anything that is done under the lock. */
const staleAfterMs = 15_000;
const lookAgainMs = 50;
/** Somebody holds it for ever, or it cannot be taken away: better two at once than none. */
const giveUpAfterMs = 20_000;

/**
 * Does `work` while no other process of this machine does it on the same `file`. A lock left behind by a process that
 * was killed is taken over. Where no lock can be made or had, the work is done without one.
 */
export async function withFileLock<Value>(
  file: string,
  work: () => Promise<Value>,
  patienceMs = giveUpAfterMs,
): Promise<Value> {
  const mark = randomUUID();
  const held = await acquire(file, mark, performance.now() + patienceMs);
  try {
    return await work();
  } finally {
    // Not if it was taken over meanwhile: that would let a third one in.
    if (held && (await markIn(file)) === mark) await unlink(file).catch(() => undefined);
  }
}

async function acquire(file: string, mark: string, until: number): Promise<boolean> {
  while (performance.now() < until) {
    try {
      await writeFile(file, mark, { flag: 'wx', mode: 0o600 });
      return true;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') return false;
    }
    if (await isStale(file)) await takeAway(file);
    await pause(lookAgainMs);
  }
  return false;
}

async function isStale(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > staleAfterMs;
}

/**
 * Rename is atomic: of several processes that see a stale lock, one gets it. Should a fresh lock have come in between,
 * two processes work at once this time, which costs one token of ten.
 */
async function takeAway(file: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  await rename(file, aside).catch(() => undefined);
  await unlink(aside).catch(() => undefined);
}

const markIn = (file: string) => readFile(file, 'utf8').catch(() => undefined);
