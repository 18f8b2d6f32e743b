import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { gated } from '../../../../src/workers/sandbox/gate.ts';
import type { FromKeeper, LaunchOrder } from '../../../../src/workers/sandbox/keeper-messages.ts';
import { carriesMark, findProcesses, kill, markName } from '../../../../src/workers/sandbox/processes.ts';
import { useTempFolder } from '../../../support/temp-folder.ts';

/** One of the keeper's calls to the system fails, once: it says so or does without, and leaves nobody behind. */
const keeperFile = path.resolve(import.meta.dirname, '../../../../dist/workers/sandbox/keeper.js');
const preload = path.resolve(import.meta.dirname, '../../../fixtures/failing-calls.mjs');
const folder = useTempFolder();
const mark = randomBytes(16).toString('hex');
const carriers = () => findProcesses((pid) => carriesMark(pid, [mark]));

afterEach(() => carriers().forEach(kill));

/** A server that starts another, in a session of its own. */
function order(id: number): LaunchOrder {
  const [file = '', ...args] = gated({}, ['/bin/sh', '-c', 'setsid sleep 60 & exec sleep 60']);
  const env = { PATH: '/usr/bin:/bin', [markName]: `${mark}.${id}` };
  return { type: 'launch', id, file, args, env, cwd: '/', filter: '/etc/hosts', isWrapped: false };
}

/** The first thing it says of that launch after its pipes. */
function told(keeper: ChildProcess, wanted: number): Promise<FromKeeper['type']> {
  return new Promise((resolve) => {
    keeper.on('message', (message, handle) => {
      const { type, id } = message as FromKeeper;
      if (handle && 'destroy' in handle) handle.destroy();
      else if (id === wanted && (type === 'started' || type === 'failed')) resolve(type);
    });
  });
}

test.each([
  ['child_process.spawn', 'failed'],
  ['fs.openSync', 'started'],
  ['fs.closeSync', 'started'],
  ['fs.readFileSync', 'started'],
  ['fs.readdirSync', 'started'],
  ['fs.rmSync', 'started'],
  ['process.kill', 'started'],
])(
  '%s: a launch is told to have %s, the next one starts, and at the end nobody is left',
  async (name, what) => {
    const failing = folder.file('fail.json');
    writeFileSync(failing, JSON.stringify({ name, code: 'EIO', skip: 0 }));
    const instance = folder.file('instance');
    writeFileSync(instance, '');
    const keeper = fork(keeperFile, [mark, instance], {
      execArgv: [`--import=${preload}`],
      env: { FAIL_FILE: failing },
      stdio: ['pipe', 'ignore', 'inherit', 'ipc'],
    });
    const exited = new Promise((resolve) => keeper.once('exit', resolve));
    for (const [id, expected] of [
      [1, what],
      [2, 'started'],
    ] as const) {
      const answer = told(keeper, id);
      keeper.send(order(id));
      expect(await answer).toBe(expected);
    }
    expect(carriers().length).toBeGreaterThan(0);
    keeper.stdin!.destroy();
    expect(await exited).toBe(0);
    expect(carriers()).toEqual([]);
    expect(existsSync(failing)).toBe(false);
  },
);

test('nobody is started without the filter of system calls that was ordered', async () => {
  const keeper = fork(keeperFile, [mark, ''], { env: {}, stdio: ['pipe', 'ignore', 'inherit', 'ipc'] });
  const exited = new Promise((resolve) => keeper.once('exit', resolve));
  const answer = told(keeper, 1);
  keeper.send({ ...order(1), filter: folder.file('nowhere') });
  expect(await answer).toBe('failed');
  expect(carriers()).toEqual([]);
  keeper.stdin!.destroy();
  expect(await exited).toBe(0);
});
