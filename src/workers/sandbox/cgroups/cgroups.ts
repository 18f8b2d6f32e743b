import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findHierarchies, type Hierarchy, leafName } from './hierarchies.ts';
import { type Controller, settingsFor, type Version } from './limits.ts';
import { endTree, pidsIn } from './tree.ts';

/** The cgroup of one run of a proxy in one hierarchy. Plain data: the keeper is told of it in its arguments. */
export interface Branch {
  readonly version: Version;
  readonly controllers: readonly Controller[];
  /** Absolute. In it is a cgroup for each tenant, and in those one for each worker. */
  readonly folder: string;
  /** Absolute: the cgroup that the proxy and its keeper are in. */
  readonly own: string;
}

/** The cgroups of one run of a proxy, or why there are none, in words for an operator and with what to do. */
export type Cgroups =
  | { readonly branches: readonly Branch[]; readonly close: () => Promise<void> }
  | { readonly branches: undefined; readonly reason: string };

/** How long the end of what is in a cgroup is waited for, in milliseconds. */
const endMs = 3000;
/** How often is looked who is left in a cgroup that all are to leave; what forks faster is left there. */
const looks = 10;
/** To the servers' 100: who serves all goes before any, and what is left is still a tenth. */
const ownWeight = '1000';

const nameOf = (mark: string): string => `${leafName}-${mark}`;

/** Where the cgroups of a run would be, so that it can be written down before there are any. */
export function cgroupFolders(mark: string): string[] {
  return findHierarchies().map(({ base }) => path.join(base, nameOf(mark)));
}

/** End what is left in the cgroups of an earlier run; how many processes that were. Folders that are not its own are not touched. */
export async function endCgroups(folders: readonly unknown[], mark: string): Promise<number> {
  const own = folders.filter(
    (each): each is string => typeof each === 'string' && path.basename(each) === nameOf(mark),
  );
  const ended = await Promise.all(own.map((folder) => endTree(folder, endMs)));
  return Math.max(0, ...ended);
}

/** Make cgroups for a run, and try them. Leaves nothing behind where they do not work. */
export async function openCgroups(mark: string): Promise<Cgroups> {
  const hierarchies = findHierarchies();
  if (hierarchies.length === 0) return none('no control groups for memory, processes or processors are here');
  const close = async (): Promise<void> => {
    await endCgroups(
      hierarchies.map(({ base }) => path.join(base, nameOf(mark))),
      mark,
    );
    for (const { version, base, controllers } of hierarchies) if (version === 2) moveBack(base, controllers);
  };
  try {
    const branches = hierarchies.map((each) => plant(each, mark));
    await tryOut(branches);
    return { branches, close };
  } catch (thrown) {
    await close();
    return none(explained(thrown, hierarchies));
  }
}

const none = (reason: string): Cgroups => ({ branches: undefined, reason });

function plant(hierarchy: Hierarchy, mark: string): Branch {
  const { version, base, controllers } = hierarchy;
  if (version === 2) makeRoom(hierarchy);
  const folder = path.join(base, nameOf(mark));
  mkdirSync(folder);
  if (version === 2) enable(folder, controllers);
  const leaf = path.join(base, leafName);
  return { version, controllers, folder, own: existsSync(leaf) ? leaf : base };
}

/** No process may be where cgroups with controllers are below: ours go into a leaf. At the machine's own top they may stay. */
function makeRoom({ base, controllers, isContainer }: Hierarchy): void {
  if (existsSync(path.join(base, 'cgroup.type'))) {
    const leaf = path.join(base, leafName);
    mkdirSync(leaf, { recursive: true });
    // In a container all that is there came with us; elsewhere it may be somebody's session.
    if (isContainer) moveAll(base, leaf);
    else move(process.pid, leaf);
    enable(base, controllers);
    if (controllers.includes('cpu')) writeFileSync(path.join(leaf, 'cpu.weight'), ownWeight);
  } else enable(base, controllers);
}

/** What is left to a keeper whose proxy was killed: the leaf that both were in. Nobody could come into the cgroup around it. */
export function closeLeaf(branches: readonly Branch[]): void {
  for (const { version, folder, controllers } of branches)
    if (version === 2) moveBack(path.dirname(folder), controllers);
}

/** Undo what `makeRoom` did, unless another proxy needs it. */
function moveBack(base: string, controllers: readonly Controller[]): void {
  const leaf = path.join(base, leafName);
  if (!existsSync(leaf)) return;
  try {
    writeFileSync(path.join(base, 'cgroup.subtree_control'), controllers.map((each) => `-${each}`).join(' '));
    moveAll(leaf, base);
    rmdirSync(leaf);
  } catch {
    // Another proxy's cgroups are beside it: it is theirs too.
  }
}

export function enable(folder: string, held: readonly Controller[]): void {
  writeFileSync(path.join(folder, 'cgroup.subtree_control'), held.map((each) => `+${each}`).join(' '));
}

function move(pid: number, folder: string): void {
  writeFileSync(path.join(folder, 'cgroup.procs'), String(pid));
}

/** Others may end and fork meanwhile: who is gone need not be moved, and who is new is seen at the next look. */
function moveAll(from: string, to: string): void {
  for (let look = 0; look < looks; look++) for (const pid of pidsIn(from)) moveIfThere(pid, to);
}

function moveIfThere(pid: number, folder: string): void {
  try {
    move(pid, folder);
  } catch (thrown) {
    if ((thrown as { code?: string }).code !== 'ESRCH') throw thrown;
  }
}

/** Put a process into a cgroup with limits, as for a server. @throws {Error} if it cannot be done */
async function tryOut(branches: readonly Branch[]): Promise<void> {
  const child = spawn('/bin/sh', ['-c', 'read -r go'], { stdio: ['pipe', 'ignore', 'ignore'], env: {} });
  const ended = new Promise((resolve) => child.once('close', resolve).once('error', resolve));
  child.stdin.on('error', () => undefined);
  try {
    for (const branch of branches) tryBranch(branch, child.pid ?? 0);
  } finally {
    child.kill('SIGKILL');
    await ended;
    await Promise.all(branches.map(({ folder }) => endTree(path.join(folder, 'probe'), endMs)));
  }
}

function tryBranch({ version, controllers, folder }: Branch, pid: number): void {
  const cell = path.join(folder, 'probe', 'probe');
  mkdirSync(path.dirname(cell));
  if (version === 2) enable(path.dirname(cell), controllers);
  mkdirSync(cell);
  const limits = { memory: 64 * 1024 ** 2, processes: 8, cpus: 1 };
  for (const { file, value, isOptional } of settingsFor(version, controllers, limits))
    if (isOptional !== true) writeFileSync(path.join(cell, file), value);
  move(pid, cell);
  if (!pidsIn(cell).includes(pid)) throw new Error(`a process could not be put into ${cell}`);
}

function explained(thrown: unknown, hierarchies: readonly Hierarchy[]): string {
  const { code, path: file, message } = thrown as { code?: string; path?: string; message: string };
  const [{ base, version } = { base: '', version: 2 }] = hierarchies;
  const at = file ?? base;
  switch (code) {
    case 'EROFS':
      return `${at} is read-only: in a container, give it a cgroup namespace of its own that is writable`;
    case 'EACCES':
    case 'EPERM':
      if (version === 1) return `${at} may not be written by this user: of cgroup v1, only root may`;
      return `${at} may not be written by this user: run the proxy as a systemd service with Delegate=yes`;
    case 'EBUSY':
    case 'ENOTSUP':
      return `other processes are in ${base}: run the proxy as a systemd service of its own, with Delegate=yes`;
    case undefined:
    default:
      return message;
  }
}
