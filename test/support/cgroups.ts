import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { type Branch, openCgroups } from '../../src/workers/sandbox/cgroups/cgroups.ts';

/** Which version this machine's are of; where v2 is mounted beside v1, it has no controllers. */
export const version = existsSync('/sys/fs/cgroup/cgroup.controllers') ? 2 : 1;
const controllers = ['memory', 'pids', 'cpu'] as const;
type Controller = (typeof controllers)[number];

/** Why real control groups cannot be tried here; undefined if they can. Found out without any code of the proxy's. */
export const noCgroups = controllers.map(refusalOf).find((each) => each !== undefined);

function refusalOf(controller: Controller): string | undefined {
  const folder = path.join(ownFolder(controller), `mtp-try-${process.pid}`);
  try {
    mkdirSync(folder);
    rmdirSync(folder);
    // With v2 that is refused while processes are there: at the machine's top they may be, elsewhere start in the leaf.
    if (version === 2)
      writeFileSync(path.join(ownFolder(controller), 'cgroup.subtree_control'), `+${controller}`);
    return undefined;
  } catch {
    return `no v${version} controller for ${controller} can be written`;
  }
}

/** The cgroup that proxies started from here make theirs in: our own, or with v2 what is above the leaf that we are in. */
export function ownFolder(controller: Controller): string {
  const own = folderOf('self', controller);
  return path.basename(own) === 'mcp-tenant-proxy' ? path.dirname(own) : own;
}

function folderOf(pid: number | 'self', controller: Controller): string {
  const name = version === 2 ? '' : controller;
  const [, place = ''] = new RegExp(`^\\d+:${name}:(.*)$`, 'm').exec(readText(`/proc/${pid}/cgroup`)) ?? [];
  return path.join('/sys/fs/cgroup', name, place);
}

/** The cgroups of proxies that there are; each test looks for those that its own have made. */
export function proxyCgroups(): string[] {
  return [...new Set(controllers.map(ownFolder))].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.startsWith('mcp-tenant-proxy-'))
      .map((name) => path.join(folder, name)),
  );
}

/** The cgroup that a process is in, without those it shares with us. */
export function cgroupOf(pid: number, controller: Controller): string {
  return path.relative(ownFolder(controller), folderOf(pid, controller));
}

const limitFiles: Record<Controller, Record<1 | 2, string>> = {
  memory: { 1: 'memory.limit_in_bytes', 2: 'memory.max' },
  pids: { 1: 'pids.max', 2: 'pids.max' },
  cpu: { 1: 'cpu.cfs_quota_us', 2: 'cpu.max' },
};

/** What a cgroup holds its processes to: bytes, how many, or microseconds in each tenth of a second. */
export function limitIn(controller: Controller, cell: string): number {
  const file = path.join(ownFolder(controller), cell, limitFiles[controller][version]);
  return Number.parseInt(readFileSync(file, 'utf8'), 10);
}

/** Where it is told how many processes of a cgroup were ended because of its memory, as `oom_kill`. */
export function memoryEventsOf(cell: string): string {
  const name = version === 2 ? 'memory.events' : 'memory.oom_control';
  return path.join(ownFolder('memory'), cell, name);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** A script of the shell's that waits for a word; then the rest of it runs. */
export interface Script {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly go: () => void;
}

interface Run {
  readonly mark: () => string;
  readonly branches: () => readonly Branch[];
  readonly start: (script: string) => Script;
}

/** Each test has cgroups as a run of the proxy has them, and leaves none, nor what it has started. */
export function useCgroups(): Run {
  const children: ChildProcess[] = [];
  let mark = '';
  let branches: readonly Branch[] = [];
  let close: () => Promise<void>;
  beforeEach(async () => {
    mark = randomBytes(16).toString('hex');
    const opened = await openCgroups(mark);
    if (opened.branches === undefined) throw new Error(opened.reason);
    ({ branches, close } = opened);
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await close();
    expect(proxyCgroups().filter((each) => each.endsWith(mark))).toEqual([]);
  });
  function start(script: string): Script {
    const child = spawn('/bin/sh', ['-c', `read -r go\n${script}`], { stdio: ['pipe', 'pipe', 'ignore'] });
    children.push(child);
    return { child, pid: child.pid!, go: () => child.stdin.end('go\n') };
  }
  return { mark: () => mark, branches: () => branches, start };
}
