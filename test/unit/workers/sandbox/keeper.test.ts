import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { carriesMark, findProcesses, kill, markName } from '../../../../src/workers/sandbox/processes.ts';
import { gated } from '../../../../src/workers/sandbox/gate.ts';
import { eventually } from '../../../support/eventually.ts';

const keeperFile = path.resolve(import.meta.dirname, '../../../../dist/workers/sandbox/keeper.js');
const mark = randomBytes(16).toString('hex');
const carriers = () => findProcesses((pid) => carriesMark(pid, [mark]));

afterEach(() => carriers().forEach(kill));

test('a proxy that is gone before it has taken the pipes of a launch leaves nothing behind', async () => {
  // Raw, because Node's own end of a channel would acknowledge each pipe, and this proxy dies before it does.
  const keeper = spawn(process.execPath, [keeperFile, mark, ''], {
    env: { NODE_CHANNEL_FD: '3' },
    stdio: ['pipe', 'ignore', 'inherit', 'pipe'],
  });
  const exited = new Promise((resolve) => keeper.once('exit', resolve));
  const channel = keeper.stdio[3] as Duplex;
  const [file, ...args] = gated({}, ['/bin/sleep', '60']);
  const env = { PATH: '/usr/bin:/bin', [markName]: `${mark}.1` };
  channel.write(
    `${JSON.stringify({ type: 'launch', id: 1, file, args, env, cwd: '/', isWrapped: false })}\n`,
  );
  await new Promise((resolve) => channel.once('data', resolve));
  await eventually(() => carriers().length === 1);
  channel.destroy();
  keeper.stdin!.destroy();
  expect(await exited).toBe(0);
  expect(carriers()).toEqual([]);
});
