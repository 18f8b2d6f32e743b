import { readdirSync, readFileSync } from 'node:fs';

/** 4 KiB on most machines, 16 or 64 KiB on some: what one process has in both units tells. */
const pageBytes = readPageBytes();

/**
 * Resident memory of every process group on this machine, in bytes, by the group's id; empty where there is no /proc.
 * A server started through `npx` is a grandchild, so a worker's own process alone would tell too little.
 */
export function readGroupMemory(): ReadonlyMap<number, number> {
  const groups = new Map<number, number>();
  for (const name of processNames()) {
    const found = readStat(name);
    if (found) groups.set(found.group, (groups.get(found.group) ?? 0) + found.rssBytes);
  }
  return groups;
}

function readPageBytes(): number {
  try {
    const [, residentPages] = readFileSync('/proc/self/statm', 'latin1').split(' ').map(Number);
    return 2 ** Math.round(Math.log2(process.memoryUsage.rss() / (residentPages ?? 1)));
  } catch {
    return 4096;
  }
}

function processNames(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** Fields 5 and 24 of proc(5) `stat`, counted from behind the name, which may hold blanks and brackets. */
function readStat(name: string): { group: number; rssBytes: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { group: Number(fields[2]), rssBytes: Number(fields[21]) * pageBytes };
  } catch {
    // It ended while we looked.
    return undefined;
  }
}
