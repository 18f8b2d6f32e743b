import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ChangedNames, FolderWatcher } from '../../../src/tenants/watcher.ts';
import { eventually } from '../../support/eventually.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { useTempFolder } from '../../support/temp-folder.ts';

const temp = useTempFolder();
let clock: FakeClock;
let told: ChangedNames[];
let watcher: FolderWatcher;
beforeEach(() => {
  clock = createFakeClock();
  told = [];
  mkdirSync(temp.file('tenants'));
  watcher = new FolderWatcher(temp.file('tenants'), clock, (names) => told.push(names));
});
afterEach(() => watcher.stop());
const write = (name: string) => writeFileSync(temp.file('tenants', name), name);
/** Lets the clock go on by less than the folder is looked at anyway, until something is told. */
const toldNow = () => {
  let passed = 0;
  return eventually(() => {
    if (passed < 9000) clock.advance((passed += 150) && 150);
    return told.length > 0 && [...told];
  });
};

test('a file that changes is named', async () => {
  watcher.start();
  write('acme.yaml');
  expect(await toldNow()).toEqual([new Set(['acme.yaml'])]);
});

test('files of others are not', async () => {
  watcher.start();
  for (const name of ['.acme.yaml.swp', 'acme.yaml~', 'notes.txt', '4913', 'acme.yaml']) write(name);
  expect(await toldNow()).toEqual([new Set(['acme.yaml'])]);
});

test('a file that goes and one that is moved in are named', async () => {
  write('gone.yaml');
  writeFileSync(temp.file('new'), 'x');
  watcher.start();
  rmSync(temp.file('tenants/gone.yaml'));
  renameSync(temp.file('new'), temp.file('tenants/new.yaml'));
  await eventually(() => {
    clock.advance(150);
    const names = new Set(told.flatMap((each) => [...(each ?? [])]));
    return names.has('gone.yaml') && names.has('new.yaml');
  });
});

test('the link of a ConfigMap that is turned means all files', async () => {
  mkdirSync(temp.file('tenants/..2026_1'));
  symlinkSync('..2026_1', temp.file('tenants/..data'));
  watcher.start();
  mkdirSync(temp.file('tenants/..2026_2'));
  symlinkSync('..2026_2', temp.file('tenants/..data_tmp'));
  renameSync(temp.file('tenants/..data_tmp'), temp.file('tenants/..data'));
  expect(await toldNow()).toEqual([undefined]);
});

test('all are looked at every ten seconds anyway', () => {
  watcher.start();
  clock.advance(9999);
  expect(told).toEqual([]);
  clock.advance(1);
  expect(told).toEqual([undefined]);
  clock.advance(20_000);
  expect(told).toEqual([undefined, undefined, undefined]);
});

test('a folder that is exchanged, or comes later, is followed from the next look on', async () => {
  watcher.start();
  renameSync(temp.file('tenants'), temp.file('old'));
  clock.advance(10_000);
  mkdirSync(temp.file('tenants'));
  clock.advance(10_000);
  told = [];
  write('acme.yaml');
  expect(await toldNow()).toEqual([new Set(['acme.yaml'])]);
});

test('a folder that is not there is no error', () => {
  const nowhere = new FolderWatcher(temp.file('none'), clock, (names) => told.push(names));
  nowhere.start();
  clock.advance(10_000);
  expect(told).toEqual([undefined]);
  nowhere.stop();
});

test('once it is stopped nothing is told any more, not even what was seen before', async () => {
  watcher.start();
  write('acme.yaml');
  await toldNow();
  write('globex.yaml');
  watcher.stop();
  told = [];
  clock.advance(60_000);
  expect(told).toEqual([]);
});
