import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Cell, Cells } from '../../../../../src/workers/sandbox/cgroups/cells.ts';
import { noCgroups, useCgroups } from '../../../../support/cgroups.ts';
import { eventually } from '../../../../support/eventually.ts';

if (noCgroups !== undefined) test.skip(`who gives way (${noCgroups})`, () => undefined);

describe.runIf(noCgroups === undefined)('who keeps a processor busy', () => {
  const run = useCgroups();
  const spinning = 'while :; do :; done';
  const waiting = 'sleep 60';

  async function startIn(cells: Cells, tenantId: string, id: number, script: string) {
    const { child, pid, go } = run.start(script);
    const cell = cells.cellFor({ tenantId, limits: { memory: 64 * 1024 ** 2, processes: 16 } }, id)!;
    cell.admit(pid);
    expect(await cell.settle(() => [pid])).toBeUndefined();
    go();
    return { child, cell };
  }

  /** Whether a cgroup of the run gives way to others. */
  function givesWay(...way: string[]): boolean {
    const { folder } = run.branches().find(({ controllers }) => controllers.includes('cpu'))!;
    return readFileSync(path.join(folder, ...way, 'cpu.idle'), 'utf8').trim() === '1';
  }
  const end = (all: readonly { cell: Cell }[]) => Promise.all(all.map(({ cell }) => cell.end()));

  /** Every place of `wanted` gives way at some time; who starves because of others shares again in between. */
  async function allGiveWay(
    wanted: readonly (readonly string[])[],
    never: readonly (readonly string[])[] = [],
  ) {
    const seen = new Set<string>();
    await eventually(() => {
      for (const way of [...wanted, ...never]) if (givesWay(...way)) seen.add(way.join('/'));
      return wanted.every((way) => seen.has(way.join('/')));
    });
    expect(never.filter((way) => seen.has(way.join('/')))).toEqual([]);
  }

  test('gives way as a tenant and as a worker, and the run with it; nobody else does, and it does not for ever', async () => {
    const told: number[] = [];
    const cells = new Cells(run.branches(), (id) => told.push(id));
    const quiet = await startIn(cells, 'quiet', 1, waiting);
    const calm = await startIn(cells, 'busy', 2, waiting);
    const busy = await startIn(cells, 'busy', 3, spinning);
    const places = [[], ['of-busy'], ['of-busy', '3']];
    await allGiveWay(places, [['of-quiet'], ['of-quiet', '1'], ['of-busy', '2']]);
    busy.child.kill('SIGSTOP');
    await eventually(() => !places.some((way) => givesWay(...way)));
    busy.child.kill('SIGCONT');
    await allGiveWay(places);
    expect(await eventually(() => told.length > 0 && told)).toEqual([3]);
    await end([quiet, calm, busy]);
  });

  test('a run whose busy tenant has ended no longer gives way', async () => {
    const cells = new Cells(run.branches());
    const quiet = await startIn(cells, 'quiet', 1, waiting);
    const busy = await startIn(cells, 'busy', 2, spinning);
    await allGiveWay([[], ['of-busy']]);
    await end([busy]);
    await eventually(() => !givesWay());
    await end([quiet]);
  });

  test('who does little beside many that spin goes on to share as before', async () => {
    const cells = new Cells(run.branches());
    const little = await startIn(cells, 'little', 1, 'while :; do sleep 0.2; done');
    const several = Array.from({ length: 2 * availableParallelism() }, () => `(${spinning}) &`).join(' ');
    const busy = await Promise.all([
      startIn(cells, 'busy', 2, `${several} wait`),
      startIn(cells, 'busier', 3, `${several} ${several} wait`),
    ]);
    await allGiveWay([['of-busy'], ['of-busier']], [['of-little'], ['of-little', '1']]);
    await end([little, ...busy]);
  });
});
