import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandTrouble } from '../../../src/cli/find-command.ts';
import { secrets } from '../workers/some-worker.ts';

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(path.join(tmpdir(), 'commands-'));
  mkdirSync(path.join(cwd, 'bin'));
  for (const [name, mode] of [
    ['run', 0o755],
    ['text', 0o644],
  ] as const) {
    writeFileSync(path.join(cwd, 'bin', name), '');
    chmodSync(path.join(cwd, 'bin', name), mode);
  }
});
afterAll(() => {
  rmSync(cwd, { recursive: true });
});
const trouble = (command: string, env: Record<string, string> = {}) =>
  commandTrouble({ command, cwd, env: secrets(env) })?.message;

test('what the system would find is fine', () => {
  expect(trouble('node')).toBeUndefined();
  expect(trouble(process.execPath)).toBeUndefined();
  expect(trouble('./bin/run')).toBeUndefined();
  expect(trouble('run', { PATH: '/nowhere:bin' })).toBeUndefined();
});

test('what it would not find is told with the way out', () => {
  expect(trouble('no-such-command')).toMatch(/is not on PATH; install it/);
  expect(trouble('run')).toMatch(/is not on PATH/);
  expect(trouble('./bin/none')).toMatch(/is not there/);
  expect(trouble('bin')).toMatch(/is not on PATH/);
  expect(commandTrouble({ command: 'node', cwd: path.join(cwd, 'gone'), env: {} })?.message).toMatch(
    /is not a folder/,
  );
});

test('a file without the execute bit is told apart', () => {
  expect(trouble('./bin/text')).toMatch(/may not be executed; see chmod/);
  expect(trouble('text', { PATH: 'bin' })).toMatch(/on PATH and may not be executed/);
});
