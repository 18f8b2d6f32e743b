import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readGroupMemory } from '../../../src/workers/memory.ts';
import { useLauncher } from '../../support/use-launcher.ts';
import { someSpec } from './some-worker.ts';

const { launch } = useLauncher();

/** A child that says a number and then lives until its stdin ends. */
async function run(script: string): Promise<{ pid: number; said: number }> {
  const child = await launch(someSpec(['-e', `${script}; process.stdin.resume()`]));
  const said = await new Promise<string>((resolve) =>
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())),
  );
  return { pid: child.pid!, said: Number(said) };
}

const sayRss = 'console.log(process.memoryUsage.rss())';
/** Node goes on growing a little after it has said how large it is. */
const about = (said: number) => ({ least: said / 2, most: said * 2 });

test.runIf(existsSync('/proc'))('a worker’s memory is found under its pid, in bytes', async () => {
  const { pid, said } = await run(sayRss);
  const found = readGroupMemory().get(pid);
  expect(found).toBeGreaterThan(about(said).least);
  expect(found).toBeLessThan(about(said).most);
});

test.runIf(existsSync('/proc'))('a name with blanks and brackets confuses nobody', async () => {
  const { pid, said } = await run(`process.title = 'x) S 1 1 (y'; ${sayRss}`);
  expect(readGroupMemory().get(pid)).toBeGreaterThan(about(said).least);
});

test.runIf(existsSync('/proc'))('what its descendants hold counts too', async () => {
  const heldMiB = 128;
  const hold = `globalThis.held = Buffer.alloc(${heldMiB} * 1024 ** 2, 1); console.log(process.memoryUsage.rss());`;
  const { pid, said } = await run(`
    const { spawn } = require('node:child_process');
    spawn(process.execPath, ['-e', ${JSON.stringify(`${hold} setTimeout(() => {}, 60_000)`)}],
      { stdio: ['ignore', 'inherit', 'ignore'] });
  `);
  expect(said).toBeGreaterThan(heldMiB * 1024 ** 2);
  // The process in between is another Node, which alone takes more than this.
  const leastMiB = 20;
  expect(readGroupMemory().get(pid)).toBeGreaterThan(said + leastMiB * 1024 ** 2);
});
