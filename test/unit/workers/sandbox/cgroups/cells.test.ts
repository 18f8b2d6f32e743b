import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Cells } from '../../../../../src/workers/sandbox/cgroups/cells.ts';
import { endCgroups } from '../../../../../src/workers/sandbox/cgroups/cgroups.ts';
import { findProcesses, identify } from '../../../../../src/workers/sandbox/processes.ts';
import {
  cgroupOf,
  limitIn,
  memoryEventsOf,
  noCgroups,
  ownFolder,
  proxyCgroups,
  useCgroups,
  version,
} from '../../../../support/cgroups.ts';
import { eventually } from '../../../../support/eventually.ts';
import { settings } from '../../../../support/tiers.ts';

const MiB = 1024 ** 2;
const limits = { memory: 64 * MiB, processes: 16, cpus: 0.5 };

if (noCgroups !== undefined) test.skip(`cgroups (${noCgroups})`, () => undefined);

describe.runIf(noCgroups === undefined)('with real cgroups', () => {
  const run = useCgroups();
  async function inCell(script: string, tenantId = 'acme', id = 1) {
    const started = run.start(script);
    const cells = new Cells(run.branches());
    const cell = cells.cellFor({ tenantId, limits }, id)!;
    cell.admit(started.pid);
    expect(await cell.settle(() => [started.pid])).toBeUndefined();
    return { ...started, cell };
  }

  /** Waits until the kernel has ended a process in the cgroup of this one, or this one itself, for want of memory. */
  function killed(pid: number): Promise<unknown> {
    const events = memoryEventsOf(cgroupOf(pid, 'memory'));
    return eventually(() => !/^oom_kill 0$/m.test(readFileSync(events, 'utf8')), 10_000);
  }

  test('a process is in one for each controller, below its tenant; its end removes both', async () => {
    const { child, pid, cell } = await inCell('true', 'a/../b c');
    const where = `mcp-tenant-proxy-${run.mark()}/of-a%2F..%2Fb%20c/1`;
    for (const controller of ['memory', 'pids', 'cpu'] as const) {
      expect(cgroupOf(pid, controller)).toBe(where);
    }
    expect(limitIn('memory', where)).toBe(limits.memory);
    expect(limitIn('pids', where)).toBe(16);
    expect(limitIn('cpu', where)).toBe(50_000);
    const ended = once(child, 'exit');
    await cell.end();
    expect((await ended)[1]).toBe('SIGKILL');
    for (const { folder } of run.branches())
      expect(existsSync(path.join(folder, 'of-a%2F..%2Fb%20c'))).toBe(false);
  });

  test('who was forked before its parent came in is taken in too', async () => {
    const { child, pid } = run.start('true');
    const forked = run.start('true');
    const cell = new Cells(run.branches()).cellFor({ tenantId: 'acme', limits }, 1)!;
    cell.admit(pid);
    expect(await cell.settle(() => [pid, forked.pid])).toBeUndefined();
    for (const each of [pid, forked.pid]) expect(cgroupOf(each, 'pids')).toBe(cgroupOf(pid, 'memory'));
    const ended = Promise.all([once(child, 'exit'), once(forked.child, 'exit')]);
    await cell.end();
    await ended;
  });

  test('all processes of a server together have no more memory than one may', async () => {
    // Each for itself stays far below the limit: `tail` holds 24 MiB, and nobody takes them.
    const hog = 'head -c 24M /dev/zero | tail -c 24M | sleep 60';
    const { child, go, pid } = await inCell(`for i in 1 2 3 4; do ${hog} & done; wait; sleep 60`);
    go();
    await killed(pid);
    child.kill('SIGKILL');
  });

  test('files that lie in memory count too', async () => {
    const file = `/dev/shm/mtp-${run.mark()}`;
    try {
      const { child, go, pid } = await inCell(`head -c 128M /dev/zero > ${file}; sleep 60`);
      go();
      await killed(pid);
      child.kill('SIGKILL');
    } finally {
      rmSync(file, { force: true });
    }
  });

  test('a fork bomb has no more processes than its limit, and ends with all of them', async () => {
    const token = `bomb-${run.mark()}`;
    const { go, pid, cell } = await inCell(
      `bomb() { exec /bin/sh -c 'while :; do sleep 60 & done' ${token}; }; bomb`,
    );
    const folder = path.join(ownFolder('pids'), cgroupOf(pid, 'pids'));
    go();
    await eventually(() => !/^max 0$/m.test(readFileSync(path.join(folder, 'pids.events'), 'utf8')), 10_000);
    expect(Number(readFileSync(path.join(folder, 'pids.current'), 'utf8'))).toBeLessThanOrEqual(16);
    await cell.end();
    expect(existsSync(folder)).toBe(false);
    expect(findProcesses((each) => commandOf(each).includes(token))).toEqual([]);
  });

  test('a daemon that has left its session and its environment behind ends with the cell', async () => {
    const { go, child, cell } = await inCell(`env -i setsid /bin/sh -c 'echo $$; exec sleep 60' & wait`);
    go();
    const [said] = (await once(child.stdout!, 'data')) as [Buffer];
    const daemon = identify(Number(said.toString()))!;
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(identify(daemon.pid)).toEqual(daemon);
    await cell.end();
    expect(identify(daemon.pid)).toBeUndefined();
  });

  test("an earlier run's are ended and removed; a folder that is not its own is let be", async () => {
    const { pid, child } = await inCell('sleep 60');
    const other = path.join(ownFolder('pids'), `mtp-other-${run.mark()}`);
    mkdirSync(other);
    const ended = once(child, 'exit');
    expect(
      await endCgroups([other, ...run.branches().map(({ folder }) => folder), 7, null], run.mark()),
    ).toBe(1);
    await ended;
    expect(identify(pid)).toBeUndefined();
    for (const { folder } of run.branches()) expect(existsSync(folder)).toBe(false);
    expect(existsSync(other)).toBe(true);
    rmdirSync(other);
  });

  test('who cannot be put in is told of in words, and goes on', async () => {
    const { pid, child, go } = run.start('echo on');
    const [branch] = run.branches();
    const cells = new Cells([{ ...branch!, folder: path.join(branch!.folder, 'gone') }]);
    const cell = cells.cellFor({ tenantId: 'acme', limits }, 1)!;
    cell.admit(pid);
    expect(await cell.settle(() => [pid])).toContain('gone/of-acme');
    go();
    expect(String((await once(child.stdout!, 'data'))[0])).toBe('on\n');
    await cell.end();
  });

  test('without branches there is no cell', () => {
    expect(new Cells([]).cellFor({ tenantId: 'acme', limits }, 1)).toBeUndefined();
  });
});

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

/** Who is not root, and reaches the built proxy. */
const somebody = settings.find(({ tier, uid, missing }) => tier === 'process only' && uid && !missing);

test.runIf(noCgroups === undefined && somebody !== undefined)(
  'who may not write them is told so, and nothing is left behind',
  () => {
    const built = path.resolve(import.meta.dirname, '../../../../../dist/workers/sandbox/cgroups/cgroups.js');
    const mark = randomBytes(16).toString('hex');
    const script = `const { openCgroups } = await import(${JSON.stringify(built)});
    console.log((await openCgroups('${mark}')).reason);`;
    const user = { uid: somebody!.uid!, gid: somebody!.uid! };
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      ...user,
      cwd: '/',
      env: {},
      encoding: 'utf8',
    });
    const advice = { 1: 'of cgroup v1, only root may', 2: 'run the proxy as a systemd service' }[version];
    expect(stdout).toContain(`may not be written by this user: ${advice}`);
    expect(proxyCgroups().filter((each) => each.endsWith(mark))).toEqual([]);
  },
);
