import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { openInstance, sweepOrphans } from '../../../../src/workers/sandbox/instances.ts';
import { carriesMark, identify, markName } from '../../../../src/workers/sandbox/processes.ts';
import { eventually } from '../../../support/eventually.ts';
import { useTempFolder } from '../../../support/temp-folder.ts';

const folder = useTempFolder();
const deadMark = 'd'.repeat(32);
const pids: number[] = [];

async function orphan(mark: string): Promise<number> {
  const child = spawn('sleep', ['60'], { env: { [markName]: mark }, stdio: 'ignore' });
  await once(child, 'spawn');
  pids.push(child.pid!);
  await eventually(() => carriesMark(child.pid!, [mark]));
  return child.pid!;
}

/** What a proxy of this number leaves behind when it is killed. */
function leaveInstance(mark: string, who: object): void {
  mkdirSync(folder.file('instances'), { recursive: true });
  writeFileSync(folder.file('instances', mark), JSON.stringify(who));
}

afterEach(() => {
  for (const pid of pids.splice(0)) if (identify(pid)) process.kill(pid, 'SIGKILL');
});

describe.runIf(existsSync('/proc/self/stat'))('orphans of an earlier run', () => {
  test('are ended, wherever they are, and its file is gone', async () => {
    const [one, two] = [await orphan(`${deadMark}.1`), await orphan(`${deadMark}.2`)];
    leaveInstance(deadMark, { pid: 1, startTime: 'another one', boot: 'this' });
    expect(await sweepOrphans(folder.path)).toBe(2);
    await eventually(() => !identify(one) && !identify(two));
    expect(readdirSync(folder.file('instances'))).toEqual([]);
  });

  test('are left alone while their proxy runs: its number and its time of start are right', async () => {
    const { mark } = openInstance(folder.path);
    const pid = await orphan(`${mark}.1`);
    expect(await sweepOrphans(folder.path)).toBe(0);
    expect(identify(pid)).toBeDefined();
    expect(readdirSync(folder.file('instances'))).toEqual([mark]);
  });

  test('are never looked for by their number alone', async () => {
    const stranger = await orphan('somebody-else');
    leaveInstance(deadMark, { pid: stranger, startTime: 'no', boot: 'no', children: [stranger] });
    expect(await sweepOrphans(folder.path)).toBe(0);
    expect(identify(stranger)).toBeDefined();
  });

  test.each(['', '{', 'null', '[]', '{"pid":"x"}'])('a file with %j is of nobody who runs', async (text) => {
    mkdirSync(folder.file('instances'));
    writeFileSync(folder.file('instances', deadMark), text);
    expect(await sweepOrphans(folder.path)).toBe(0);
    expect(readdirSync(folder.file('instances'))).toEqual([]);
  });

  test('a file that is no mark makes nobody an orphan', async () => {
    // An empty name would be the beginning of every mark.
    const stranger = await orphan('x');
    leaveInstance('x', { pid: 1, startTime: '-', boot: '-' });
    expect(await sweepOrphans(folder.path)).toBe(0);
    expect(identify(stranger)).toBeDefined();
  });
});

test('no state folder, no orphans', async () => {
  expect(await sweepOrphans(folder.file('not-there'))).toBe(0);
});
