import { fork, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
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

test('what the proxy was started with is not open to servers', async () => {
  const open = openSync(import.meta.filename, 'r');
  const stdio: ('ignore' | 'inherit' | 'ipc' | 'pipe' | number)[] = ['pipe', 'ignore', 'inherit', 'ipc'];
  // Node closes what has the numbers that follow, up to the first gap.
  const places = [4, 40, 200];
  for (let place = stdio.length; place <= 200; place++) stdio.push(places.includes(place) ? open : 'ignore');
  const keeper = fork(keeperFile, [mark, ''], { env: {}, execArgv: [], stdio });
  closeSync(open);
  const said = new Promise<string>((resolve) => {
    keeper.on('message', (message, handle) => {
      if ((message as { type: string }).type !== 'stdout') return;
      (handle as Socket).once('data', (chunk: Buffer) => resolve(chunk.toString()));
    });
  });
  const [file, ...args] = gated({}, ['/bin/sh', '-c', 'echo /proc/$$/fd/*; sleep 60']);
  const env = { PATH: '/usr/bin:/bin', [markName]: `${mark}.2` };
  keeper.send({ type: 'launch', id: 2, file, args, env, cwd: '/', isWrapped: false });
  const descriptors = (await said)
    .trim()
    .split(' ')
    .map((each) => Number(path.basename(each)));
  for (const place of places) expect(descriptors).not.toContain(place);
  keeper.stdin!.destroy();
  await new Promise((resolve) => keeper.once('exit', resolve));
});
