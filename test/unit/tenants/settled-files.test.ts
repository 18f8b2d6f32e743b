import { closeSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createSettler } from '../../../src/tenants/settled-files.ts';
import { fileState } from '../../../src/tenants/tenant-file.ts';
import { useTempFolder } from '../../support/temp-folder.ts';

const temp = useTempFolder();
const signature = (name: string) => fileState(temp.file(name))?.signature;
const settled = async (names: readonly string[], before: Readonly<Record<string, string>> = {}) =>
  createSettler(temp.path)(names, (name) => before[name]);
/** Until the system's clock, by which a file's age is told, is well past what counts as being written. */
const ageOf = (ms: number) => pause(ms);

test('a file that has lain there is taken at once', async () => {
  writeFileSync(temp.file('a.yaml'), 'a');
  await ageOf(150);
  const timer = pause(90).then(() => 'slow' as const);
  const first = await Promise.race([settled(['a.yaml']), timer]);
  expect(first).not.toBe('slow');
});

test('a file that is being written is waited for to its end', async () => {
  const handle = openSync(temp.file('a.yaml'), 'w');
  const looking = settled(['a.yaml']);
  for (let part = 0; part < 6; part++) {
    writeSync(handle, `part ${part}\n`);
    await pause(40);
  }
  closeSync(handle);
  const states = await looking;
  expect(states.get('a.yaml')?.signature).toBe(signature('a.yaml'));
});

test('one that never comes to rest is taken as it is in the end', async () => {
  const over = new AbortController();
  const writing = (async () => {
    for (let part = 0; !over.signal.aborted; part++) {
      writeFileSync(temp.file('a.yaml'), `part ${part}\n`);
      await pause(20);
    }
  })();
  const states = await settled(['a.yaml']);
  over.abort();
  await writing;
  expect(states.get('a.yaml')).toBeDefined();
});

test('one that vanishes and comes back was never gone', async () => {
  writeFileSync(temp.file('a.yaml'), 'before');
  const before = { 'a.yaml': signature('a.yaml')! };
  rmSync(temp.file('a.yaml'));
  const looking = settled(['a.yaml'], before);
  await pause(250);
  writeFileSync(temp.file('a.yaml.tmp'), 'after');
  renameSync(temp.file('a.yaml.tmp'), temp.file('a.yaml'));
  expect((await looking).get('a.yaml')?.signature).toBe(signature('a.yaml'));
});

test('one that is written, then vanishes and comes back, was never gone either', async () => {
  writeFileSync(temp.file('a.yaml'), 'before');
  const before = { 'a.yaml': signature('a.yaml')! };
  let writes = 0;
  writeFileSync(temp.file('a.yaml'), 'x');
  const looking = settled(['a.yaml'], before);
  // An editor that is slow, and then saves in two steps.
  while (writes < 12) {
    writeFileSync(temp.file('a.yaml'), 'x'.repeat(++writes));
    await pause(40);
  }
  rmSync(temp.file('a.yaml'));
  await pause(200);
  writeFileSync(temp.file('a.yaml'), 'after');
  expect((await looking).get('a.yaml')).toBeDefined();
});

test('one that stays away is gone; of one that never was there nothing is waited for', async () => {
  writeFileSync(temp.file('a.yaml'), 'before');
  const before = { 'a.yaml': signature('a.yaml')! };
  rmSync(temp.file('a.yaml'));
  const states = await settled(['a.yaml', 'b.yaml'], before);
  expect([...states]).toEqual([
    ['a.yaml', undefined],
    ['b.yaml', undefined],
  ]);
});

test('hundreds in the making are waited for together', async () => {
  const names = Array.from({ length: 300 }, (_, index) => `t${index}.yaml`);
  for (const name of names) writeFileSync(temp.file(name), name);
  const begin = performance.now();
  const states = await settled(names);
  expect(states.size).toBe(300);
  // One after the other would be half a minute.
  expect(performance.now() - begin).toBeLessThan(5000);
});
