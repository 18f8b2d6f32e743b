import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { type Branch, openCgroups } from '../../src/workers/sandbox/cgroups/cgroups.ts';

const controllers = ['memory', 'pids', 'cpu'];

/** Why real control groups cannot be tried here; undefined if they can. Found out without any code of the proxy's. */
export const noCgroups = controllers.map(refusalOf).find((each) => each !== undefined);

function refusalOf(controller: string): string | undefined {
  const folder = path.join(ownFolder(controller), `mtp-try-${process.pid}`);
  try {
    mkdirSync(folder);
    rmdirSync(folder);
    return undefined;
  } catch {
    return `no v1 controller for ${controller} can be written`;
  }
}

/** The cgroup of v1 that this process is in. */
export function ownFolder(controller: string): string {
  const [, place = ''] =
    new RegExp(`^\\d+:${controller}:(.*)$`, 'm').exec(readText('/proc/self/cgroup')) ?? [];
  return path.join('/sys/fs/cgroup', controller, place);
}

/** The cgroups of proxies that there are; each test looks for those that its own have made. */
export function proxyCgroups(): string[] {
  return controllers.flatMap((controller) =>
    readdirSync(ownFolder(controller))
      .filter((name) => name.startsWith('mcp-tenant-proxy-'))
      .map((name) => path.join(ownFolder(controller), name)),
  );
}

/** The cgroup of v1 that a process is in, without those it shares with us. */
export function cgroupOf(pid: number, controller: string): string {
  const [, place = ''] =
    new RegExp(`^\\d+:${controller}:(.*)$`, 'm').exec(readText(`/proc/${pid}/cgroup`)) ?? [];
  return path.relative(ownFolder(controller), path.join('/sys/fs/cgroup', controller, place));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Each test has cgroups as a run of the proxy has them, and leaves none. */
export function useCgroups(): { mark: () => string; branches: () => readonly Branch[] } {
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
    await close();
    expect(proxyCgroups().filter((each) => each.endsWith(mark))).toEqual([]);
  });
  return { mark: () => mark, branches: () => branches };
}
