import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cgroupFolders, endCgroups } from './cgroups/cgroups.ts';
import { carriesMark, type Identity, identify, isRunning, killAll } from './processes.ts';

/** One run of a proxy on this machine: what its processes carry, and the file that says who it is. */
export interface Instance {
  readonly mark: string;
  readonly file: string;
}

/** How long the orphans of one earlier run are hunted for, in milliseconds. */
const sweepMs = 3000;

/** Write down that we run, before anything is started: should we and our keeper be killed, the next run finds what is left. */
export function openInstance(state: string): Instance {
  const folder = folderIn(state);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const mark = randomBytes(16).toString('hex');
  const file = path.join(folder, mark);
  const who = { ...identify(process.pid), boot: bootId(), cgroups: cgroupFolders(mark) };
  writeFileSync(file, JSON.stringify(who), { mode: 0o600 });
  return { mark, file };
}

/**
 * End what earlier runs of a proxy with this state folder left behind. A process is taken for theirs only if it is in the
 * cgroup of, or carries the mark, 128 random bits, of a run whose proxy is no more; its number alone means nothing.
 * Returns how many were ended.
 */
export async function sweepOrphans(state: string): Promise<number> {
  const files = filesIn(folderIn(state)).filter((file) => !isInUse(file));
  const marks = files.map((file) => path.basename(file)).filter((name) => /^[0-9a-f]{32}$/.test(name));
  let ended = 0;
  for (const mark of marks) ended += await endCgroups(cgroupsIn(path.join(folderIn(state), mark)), mark);
  if (marks.length > 0) ended += await killAll((pid) => carriesMark(pid, marks), sweepMs);
  for (const file of files) rmSync(file, { force: true });
  return ended;
}

function cgroupsIn(file: string): readonly unknown[] {
  try {
    const { cgroups } = JSON.parse(readFileSync(file, 'utf8')) as { cgroups?: unknown };
    return Array.isArray(cgroups) ? cgroups : [];
  } catch {
    return [];
  }
}

const folderIn = (state: string): string => path.join(state, 'instances');

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => path.join(folder, name));
  } catch {
    return [];
  }
}

/** Does the proxy that wrote it still run? */
function isInUse(file: string): boolean {
  try {
    const { pid, startTime, boot } = JSON.parse(readFileSync(file, 'utf8')) as Identity & { boot: string };
    return boot === bootId() && isRunning({ pid, startTime });
  } catch {
    // Half-written, by one that was killed in the middle of it.
    return false;
  }
}

/** Another one after every start of the machine: the numbers and times of processes begin anew then. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}
