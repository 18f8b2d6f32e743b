import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { gated, type Limits } from '../../../../src/workers/sandbox/gate.ts';

const MiB = 1024 ** 2;

/** A process at its gate. */
function atGate(limits: Limits, command: readonly string[]): { child: ChildProcess; gate: Socket } {
  const [shell = '', ...args] = gated(limits, command);
  const child = spawn(shell, args, {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  return { child, gate: child.stdio[3] as Socket };
}

async function passed(limits: Limits, command: readonly string[]): Promise<string> {
  const { child, gate } = atGate(limits, command);
  expect(String((await once(gate, 'data'))[0])).toBe('ready\n');
  gate.end('go\n');
  return text(child.stdout!);
}

test('nothing runs before the keeper says so', async () => {
  const { child, gate } = atGate({}, ['echo', 'ran']);
  let said = '';
  child.stdout!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await once(gate, 'data');
  // It has had all the time it needs to run, if it would.
  await passed({}, ['echo', 'another']);
  expect(said).toBe('');
  gate.end('go\n');
  await once(child, 'close');
  expect(said).toBe('ran\n');
});

test('nothing runs when the keeper is gone', async () => {
  const { child, gate } = atGate({}, ['echo', 'ran']);
  await once(gate, 'data');
  gate.destroy();
  const said = text(child.stdout!);
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(await said).toBe('');
});

test('a command is words, whatever is in them', async () => {
  const words = ['$HOME', '; echo no', '`id`', '*', "'", '"', '', 'a\nb'];
  const script = 'console.log(JSON.stringify(process.argv.slice(1)))';
  expect(JSON.parse(await passed({}, [process.execPath, '-e', script, '--', ...words]))).toEqual(words);
});

test.runIf(existsSync('/proc/self/limits'))(
  'what runs behind it takes its limits with it, and no descriptor',
  async () => {
    const script = `
    const { readFileSync, readdirSync } = require('node:fs');
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const of = (name) => new RegExp('^' + name + ' +(\\\\S+) +(\\\\S+)', 'm').exec(limits).slice(1);
    let open = [];
    for (const fd of [3, 4]) try { require('node:fs').fstatSync(fd).isSocket() && open.push(fd); } catch {}
    console.log(JSON.stringify({
      memory: of('Max data size'), files: of('Max open files'), core: of('Max core file size'),
      oom: readFileSync('/proc/self/oom_score_adj', 'utf8').trim(), open,
    }));`;
    const said = await passed({ memory: 700 * MiB, files: 300 }, [process.execPath, '-e', script]);
    const memory = String(700 * MiB);
    expect(JSON.parse(said)).toEqual({
      memory: [memory, memory],
      // Node raises the soft limit as far as it may.
      files: ['300', '300'],
      core: ['0', '0'],
      oom: '800',
      open: [],
    });
  },
);

test('a limit that is lower already stays', async () => {
  const [shell = '', ...args] = gated({ files: 400 }, ['/bin/sh', '-c', 'ulimit -n']);
  const words = ['-c', `ulimit -n 200; exec "$@"`, 'sh', shell, ...args];
  const child = spawn('/bin/sh', words, { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
  (child.stdio[3] as Socket).resume().end('go\n');
  expect((await text(child.stdout!)).trim()).toBe('200');
});
