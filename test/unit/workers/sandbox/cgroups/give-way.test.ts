import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Cell, Cells } from '../../../../../src/workers/sandbox/cgroups/cells.ts';
import { noCgroups, useCgroups } from '../../../../support/cgroups.ts';
import { eventually } from '../../../../support/eventually.ts';

if (noCgroups !== undefined) test.skip(`who gives way (${noCgroups})`, () => undefined);

describe.runIf(noCgroups === undefined)('who keeps a processor busy', () => {
  const run = useCgroups();
  const children: ChildProcess[] = [];
  const spinning = 'while :; do :; done';
  const waiting = 'read -r never';

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  async function startIn(cells: Cells, tenantId: string, id: number, script: string) {
    const child = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'] });
    children.push(child);
    const cell = cells.cellFor({ tenantId, limits: { memory: 64 * 1024 ** 2, processes: 16 } }, id)!;
    cell.admit(child.pid!);
    expect(await cell.settle(() => [child.pid!])).toBeUndefined();
    return { child, cell };
  }

  /** Whether a cgroup of the run gives way to others. */
  function givesWay(...way: string[]): boolean {
    const { folder } = run.branches().find(({ controllers }) => controllers.includes('cpu'))!;
    return readFileSync(path.join(folder, ...way, 'cpu.idle'), 'utf8').trim() === '1';
  }
  const end = (all: readonly { cell: Cell }[]) => Promise.all(all.map(({ cell }) => cell.end()));

  test('gives way as a tenant and as a worker, and the run with it; nobody else does, and it does not for ever', async () => {
    const cells = new Cells(run.branches());
    const quiet = await startIn(cells, 'quiet', 1, waiting);
    const calm = await startIn(cells, 'busy', 2, waiting);
    const busy = await startIn(cells, 'busy', 3, spinning);
    await eventually(() => givesWay('of-busy', '3') && givesWay('of-busy') && givesWay());
    expect([givesWay('of-quiet'), givesWay('of-quiet', '1'), givesWay('of-busy', '2')]).toEqual([
      false,
      false,
      false,
    ]);
    busy.child.kill('SIGSTOP');
    await eventually(() => !givesWay('of-busy', '3') && !givesWay('of-busy') && !givesWay());
    busy.child.kill('SIGCONT');
    await eventually(() => givesWay('of-busy', '3') && givesWay());
    await end([quiet, calm, busy]);
  });

  test('a run whose busy tenant has ended no longer gives way', async () => {
    const cells = new Cells(run.branches());
    const quiet = await startIn(cells, 'quiet', 1, waiting);
    const busy = await startIn(cells, 'busy', 2, spinning);
    await eventually(() => givesWay('of-busy') && givesWay());
    await end([busy]);
    await eventually(() => !givesWay());
    await end([quiet]);
  });

  test('many who are busy together, and none of them for itself, share as before', async () => {
    const cells = new Cells(run.branches());
    const often = 'while :; do for i in $(seq 500); do :; done; sleep 0.02; done';
    const names = Array.from({ length: 12 }, (_, at) => `t${at}`);
    const all = await Promise.all(names.map((name, at) => startIn(cells, name, at + 1, often)));
    const endAt = performance.now() + 1000;
    while (performance.now() < endAt) {
      expect([givesWay(), ...names.map((name) => givesWay(`of-${name}`))]).not.toContain(true);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await end(all);
  });
});
