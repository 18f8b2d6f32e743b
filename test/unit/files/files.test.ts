import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { exposureOf } from '../../../src/files/exposure.ts';
import { LockedError, whileLocked } from '../../../src/files/file-lock.ts';
import { fileSignature } from '../../../src/files/file-signature.ts';
import { readRegularFile } from '../../../src/files/read-regular-file.ts';
import { replaceFile } from '../../../src/files/replace-file.ts';
import { useTempFolder } from '../../support/temp-folder.ts';

const temp = useTempFolder();

describe('a regular file is read', () => {
  test('as it is, up to so many bytes', () => {
    writeFileSync(temp.file('a'), Buffer.from([0, 255, 10]));
    expect(readRegularFile(temp.file('a'), 3)).toEqual({ ok: true, bytes: Buffer.from([0, 255, 10]) });
    expect(readRegularFile(temp.file('a'), 2)).toEqual({ ok: false, reason: 'too big' });
    writeFileSync(temp.file('empty'), '');
    expect(readRegularFile(temp.file('empty'), 0)).toEqual({ ok: true, bytes: Buffer.alloc(0) });
  });

  test('through links, as Kubernetes has them', () => {
    mkdirSync(temp.file('..data'));
    writeFileSync(temp.file('..data', 'a'), 'x');
    symlinkSync('..data/a', temp.file('a'));
    expect(readRegularFile(temp.file('a'), 10)).toMatchObject({ ok: true });
  });

  test.each(['pipe', 'folder', 'endless', 'nowhere'])('a %s is none, and nobody waits for it', (name) => {
    execFileSync('mkfifo', [temp.file('pipe')]);
    mkdirSync(temp.file('folder'));
    symlinkSync('/dev/zero', temp.file('endless'));
    expect(readRegularFile(temp.file(name), 10)).toEqual({
      ok: false,
      reason: name === 'nowhere' ? 'ENOENT' : 'no file',
    });
  });

  test('is the one that was opened, however often another takes its place', async () => {
    // What an attacker would swap in: too large, and no text of ours.
    writeFileSync(temp.file('good'), 'good');
    const over = new AbortController();
    const swapping = (async () => {
      for (let turn = 0; !over.signal.aborted; turn++) {
        writeFileSync(temp.file('next'), turn % 2 === 0 ? 'good' : 'x'.repeat(100));
        renameSync(temp.file('next'), temp.file('good'));
        await new Promise(setImmediate);
      }
    })();
    for (let looks = 0; looks < 300; looks++) {
      const read = readRegularFile(temp.file('good'), 4);
      expect(read.ok ? read.bytes.toString() : read.reason).toMatch(/^(good|too big)$/);
      await new Promise(setImmediate);
    }
    over.abort();
    await swapping;
  });
});

describe('a file is replaced', () => {
  test('whole, with the mode it had; a new one is its owner`s alone', async () => {
    await replaceFile(temp.file('new'), 'one');
    expect(statSync(temp.file('new')).mode & 0o777).toBe(0o600);
    chmodSync(temp.file('new'), 0o640);
    await replaceFile(temp.file('new'), 'two');
    expect(readFileSync(temp.file('new'), 'utf8')).toBe('two');
    expect(statSync(temp.file('new')).mode & 0o777).toBe(0o640);
    expect(readdirSync(temp.path)).toEqual(['new']);
  });

  test('or not at all, and nothing is left behind', async () => {
    mkdirSync(temp.file('folder'));
    await expect(replaceFile(temp.file('folder'), 'x')).rejects.toThrow();
    await expect(replaceFile(temp.file('none', 'x'), 'x')).rejects.toThrow(/ENOENT/);
    expect(readdirSync(temp.path)).toEqual(['folder']);
  });
});

describe('a lock', () => {
  const lock = () => temp.file('vault', '.lock');

  test('lets one after the other in', async () => {
    const order: string[] = [];
    const work = (name: string) => () =>
      (async () => {
        order.push(`${name} in`);
        await pause(60);
        order.push(`${name} out`);
      })();
    await Promise.all(['a', 'b', 'c'].map((name) => whileLocked(lock(), work(name))));
    for (let at = 0; at < order.length; at += 2) expect(order[at]?.[0]).toBe(order[at + 1]?.[0]);
    expect(existsSync(lock())).toBe(false);
  });

  test('is let go when the work fails', async () => {
    await expect(whileLocked(lock(), () => Promise.reject(new Error('it failed')))).rejects.toThrow(
      'it failed',
    );
    expect(await whileLocked(lock(), () => Promise.resolve('next'))).toBe('next');
  });

  test('of a process that is gone is taken over', async () => {
    const gone = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim();
    mkdirSync(temp.file('vault'));
    writeFileSync(lock(), gone);
    expect(await whileLocked(lock(), () => Promise.resolve('taken'))).toBe('taken');
  });

  test('of one that lives is waited for, and not for ever', async () => {
    mkdirSync(temp.file('vault'));
    writeFileSync(lock(), String(process.pid));
    await expect(whileLocked(lock(), () => Promise.resolve())).rejects.toThrow(LockedError);
    expect(existsSync(lock())).toBe(true);
  }, 20_000);
});

test('a signature is another once the file is, and empty where there is none', () => {
  expect(fileSignature(temp.file('a'))).toBe('');
  writeFileSync(temp.file('a'), 'x');
  const before = fileSignature(temp.file('a'));
  writeFileSync(temp.file('b'), 'y');
  renameSync(temp.file('b'), temp.file('a'));
  expect(fileSignature(temp.file('a'))).not.toBe(before);
  expect(fileSignature(temp.file('a', 'b'))).toBe('');
});

test.each([
  [0o600, false, false],
  [0o640, false, false],
  [0o644, true, false],
  [0o660, false, true],
  [0o666, true, true],
])('mode %i: readable by others %s, writable %s', (mode, isReadable, isWritable) => {
  writeFileSync(temp.file('a'), '');
  chmodSync(temp.file('a'), mode);
  expect(exposureOf(temp.file('a'))).toEqual({ isReadable, isWritable });
  expect(exposureOf(temp.file('none'))).toBeUndefined();
});

test('a folder with the sticky bit lets nobody take the place of another`s file', () => {
  mkdirSync(temp.file('folder'));
  chmodSync(temp.file('folder'), 0o1777);
  expect(exposureOf(temp.file('folder'))?.isWritable).toBe(false);
  chmodSync(temp.file('folder'), 0o777);
  expect(exposureOf(temp.file('folder'))?.isWritable).toBe(true);
});
