import { createHash } from 'node:crypto';
import { chownSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { keepFile, readText } from './kept-file.ts';

/** Numbers for tenants' users that no distribution, no directory and no container gives away; the second where ids are few. */
const ranges = [
  [70_000, 99_999],
  [40_000, 59_999],
] as const;

/** The tenants' own users: a number each, for ever, in a table that outlives the proxy. */
export interface TenantUsers {
  /** The tenant's number. @throws {Error} if all are taken or the table cannot be written */
  uidOf(tenantId: string): number;
  /**
   * Numbers for tenants that may come to need one, written down in one go: a first call need not wait for the disk. Not once
   * most are taken: they go to who needs one. @throws {Error} if the table cannot be written
   */
  expect(tenantIds: readonly string[]): void;
}

/**
 * A tenant keeps its number, and nobody gets it after, because files of its may be left. New ones begin at a place that
 * depends on the table's own, so that two proxies of one machine seldom meet.
 */
export function openTenantUsers(state: string): TenantUsers {
  const file = path.join(state, 'uids.json');
  const [first, last] = ranges.find(([from, to]) => isMapped(from, to)) ?? ranges[1];
  const size = last - first + 1;
  const table = readTable(file, first, last);
  const taken = new Set([...table.values(), ...knownUids()]);
  let isSaved = true;

  function give(tenantId: string): number {
    const start = createHash('sha256').update(`${file}\0${tenantId}`).digest().readUInt32BE(0) % size;
    for (let step = 0; step < size; step++) {
      const uid = first + ((start + step) % size);
      if (taken.has(uid)) continue;
      table.set(tenantId, uid);
      taken.add(uid);
      isSaved = false;
      return uid;
    }
    throw new Error(`all ${size} numbers for tenants' users are taken; see ${file}`);
  }

  /** Nobody gets a number that would be forgotten. */
  function save(): void {
    if (isSaved) return;
    writeWhole(file, `${JSON.stringify(Object.fromEntries(table), null, 2)}\n`);
    isSaved = true;
  }

  return {
    uidOf(tenantId) {
      const uid = table.get(tenantId) ?? give(tenantId);
      save();
      return uid;
    },
    expect(tenantIds) {
      const fresh = tenantIds.filter((each) => !table.has(each));
      if (table.size + fresh.length > size / 2) return;
      fresh.forEach(give);
      save();
    },
  };
}

/** A folder that is one user's alone. */
export function ownFolder(folder: string, uid: number | undefined): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (uid !== undefined && statSync(folder).uid !== uid) chownSync(folder, uid, uid);
  return folder;
}

/** The tenant's home on the machine: its caches, its settings, its state. Kept from one run to the next. */
export function homeOf(state: string, tenantId: string, uid: number | undefined): string {
  const homes = path.join(state, 'homes');
  mkdirSync(homes, { recursive: true, mode: 0o711 });
  // An id may be any text its pattern allows; as a name it must not lead elsewhere.
  return ownFolder(path.join(homes, `of-${encodeURIComponent(tenantId)}`), uid);
}

/** A list of users in which only one is: programs ask who they are. */
export function passwdFor(state: string, uid: number, home: string): string {
  const name = `${uid}-${createHash('sha256').update(home).digest('hex').slice(0, 8)}`;
  const text = `tenant:x:${uid}:${uid}:tenant:${home}:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n`;
  return keepFile(path.join(state, 'passwd', name), text);
}

function readTable(file: string, first: number, last: number): Map<string, number> {
  const text = readText(file);
  if (text === undefined) return new Map();
  const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
  const seen = new Set<unknown>();
  for (const [, uid] of entries) {
    const isGood =
      Number.isInteger(uid) &&
      Number(uid) >= Math.min(first, ranges[1][0]) &&
      Number(uid) <= Math.max(last, 99_999);
    if (!isGood || seen.has(uid))
      throw new Error(`${file} is damaged: put back a copy, or remove it with state/homes`);
    seen.add(uid);
  }
  return new Map(entries as [string, number][]);
}

/** Half a table would give two tenants one number. */
function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text, { mode: 0o600, flush: true });
  renameSync(`${file}.tmp`, file);
}

/** In a container that has few numbers of its own, not all can be used. */
function isMapped(from: number, to: number): boolean {
  return (readText('/proc/self/uid_map') ?? '').split('\n').some((line) => {
    const [inside = 0, , length = 0] = line.trim().split(/\s+/).map(Number);
    return inside <= from && to < inside + length;
  });
}

function knownUids(): number[] {
  return (readText('/etc/passwd') ?? '').split('\n').map((line) => Number(line.split(':')[2]));
}
