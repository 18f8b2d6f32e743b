/** What can be done with any cgroup, of either version: look who is in it, and end it with all in it. */
import { readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Identity, identify, kill } from '../processes.ts';

/** The longest pause between two looks, in milliseconds. */
const mostPauseMs = 20;

/** The processes in this cgroup itself; none if there is no such cgroup. */
export function pidsIn(folder: string): number[] {
  try {
    return parsePids(readFileSync(path.join(folder, 'cgroup.procs'), 'latin1'));
  } catch {
    return [];
  }
}

export function parsePids(text: string): number[] {
  return text.split('\n').filter(Boolean).map(Number);
}

/**
 * Kill whatever is in a cgroup and those below it, and remove them all. Whoever leaves its session or scrubs its
 * environment is still in there. Returns how many were killed; what is not over `withinMs` later is left.
 */
export async function endTree(folder: string, withinMs: number): Promise<number> {
  const killed = new Set<string>();
  const endAt = performance.now() + withinMs;
  for (let pause = 1; ; pause = Math.min(pause * 2, mostPauseMs)) {
    for (const { pid, startTime } of killTree(folder)) killed.add(`${pid}/${startTime}`);
    if (removeTree(folder) || performance.now() >= endAt) return killed.size;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Kill all that is in there now; what it forks meanwhile too, on kernels that can. */
export function killTree(folder: string): Identity[] {
  const below = foldersIn(folder).flatMap((name) => killTree(path.join(folder, name)));
  const pids = pidsIn(folder);
  if (below.length + pids.length === 0) return [];
  // For the count, before: whom the kernel has killed is in no cgroup any more.
  const here = identified(pids);
  if (tryWrite(path.join(folder, 'cgroup.kill'), '1')) return [...below, ...here];
  // Where there is none, the kernel is told to let nothing in there fork any more: else a bomb would win.
  tryWrite(path.join(folder, 'pids.max'), '0');
  const found = identified(pidsIn(folder));
  const still = new Set(pidsIn(folder));
  const ours = found.filter(({ pid }) => still.has(pid));
  ours.forEach(kill);
  return [...below, ...ours];
}

const identified = (pids: readonly number[]): Identity[] => pids.flatMap((pid) => identify(pid) ?? []);

/** Remove a cgroup and those below it; false while somebody is in there. */
export function removeTree(folder: string): boolean {
  for (const name of foldersIn(folder)) removeTree(path.join(folder, name));
  try {
    rmdirSync(folder);
    return true;
  } catch (thrown) {
    return (thrown as { code?: string }).code === 'ENOENT';
  }
}

/** The cgroups directly below. */
export function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((each) => each.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

function tryWrite(file: string, value: string): boolean {
  try {
    writeFileSync(file, value, { flag: 'r+' });
    return true;
  } catch {
    return false;
  }
}
