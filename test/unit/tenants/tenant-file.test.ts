import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  fileState,
  idOfFile,
  isTenantFile,
  listTenantFiles,
  readTenantFile,
  shownPath,
} from '../../../src/tenants/tenant-file.ts';
import { useTempFolder } from '../../support/temp-folder.ts';

const temp = useTempFolder();
const read = (name: string) => readTenantFile(temp.file(name), name);

test.each(['acme.yaml', 'acme.yml', 'a.b.yaml', 'Acme GmbH.yaml', '-.yaml'])('%j is a tenant`s', (name) => {
  expect(isTenantFile(name)).toBe(true);
});

test.each([
  ['.acme.yaml', 'hidden'],
  ['.acme.yaml.swp', 'an editor`s'],
  ['acme.yaml~', 'a copy an editor made'],
  ['acme.yaml.tmp', 'in the making'],
  ['#acme.yaml#', 'emacs`s'],
  ['4913', 'vim`s'],
  ['..data', 'Kubernetes`s'],
  ['README.md', 'something else'],
  ['acme.YAML', 'something else'],
  ['.yaml', 'nobody`s'],
  ['yaml', 'something else'],
])('%j is not (%s)', (name) => {
  expect(isTenantFile(name)).toBe(false);
});

test('the id is the name without its ending', () => {
  expect(['acme.yaml', 'acme.yml', 'a.b.yaml', 'a.yaml.yml'].map(idOfFile)).toEqual([
    'acme',
    'acme',
    'a.b',
    'a.yaml',
  ]);
});

test('a folder is listed by name and in order, with nothing that is not a tenant`s', () => {
  for (const name of ['b.yaml', 'a.yml', '.hidden.yaml', 'notes.txt', 'c.yaml~']) {
    writeFileSync(temp.file(name), '');
  }
  expect(listTenantFiles(temp.path, 'tenants')).toEqual({ names: ['a.yml', 'b.yaml'] });
});

test('a folder that cannot be read is a problem', () => {
  writeFileSync(temp.file('file'), '');
  for (const name of ['none', 'file']) {
    expect(listTenantFiles(temp.file(name), 'tenants')).toMatchObject({
      problem: { file: 'tenants', line: 0, column: 0, code: 'UNREADABLE' },
    });
  }
});

test('a file is read as it is', () => {
  writeFileSync(temp.file('a.yaml'), 'tenant: ä\r\n');
  expect(read('a.yaml')).toEqual({ text: 'tenant: ä\r\n' });
});

test.each([
  ['at once', Buffer.from('\xff\xfet\0', 'latin1'), 1, 1],
  ['in a line', Buffer.from('tenant: acme\nkeys: a\xe9\xff', 'latin1'), 2, 8],
  [
    'behind other letters, and the one that stands for none',
    Buffer.concat([Buffer.from('a: "\ufffdä"\nb: "ü\ufffd'), Buffer.from([0xc3])]),
    2,
    7,
  ],
])(
  'what is not UTF-8, %s, is a problem, for it would come to be another value',
  (_where, bytes, line, column) => {
    writeFileSync(temp.file('latin.yaml'), bytes);
    expect(read('latin.yaml')).toMatchObject({ problem: { code: 'YAML_SYNTAX', line, column } });
  },
);

test('a page of settings is read, a book is not', () => {
  writeFileSync(temp.file('page.yaml'), 'x'.repeat(64 * 1024));
  writeFileSync(temp.file('book.yaml'), 'x'.repeat(64 * 1024 + 1));
  expect(read('page.yaml')).toMatchObject({ text: expect.stringMatching(/^x+$/) as string });
  expect(read('book.yaml')).toMatchObject({
    problem: { code: 'TOO_BIG', message: 'It is larger than 64 KiB' },
  });
});

test('a pipe, a folder and a link to nowhere are problems, and nobody waits for them', () => {
  execFileSync('mkfifo', [temp.file('pipe.yaml')]);
  mkdirSync(temp.file('folder.yaml'));
  symlinkSync('nowhere', temp.file('link.yaml'));
  symlinkSync('/dev/zero', temp.file('endless.yaml'));
  for (const name of ['pipe.yaml', 'folder.yaml', 'link.yaml', 'endless.yaml']) {
    expect(read(name)).toMatchObject({ problem: { file: name, line: 0, code: 'UNREADABLE' } });
  }
});

test('a state says how long ago, and follows a link', () => {
  const name = temp.file('a.yaml');
  const signature = (file: string) => fileState(temp.file(file))!.signature;
  expect(fileState(name)).toBeUndefined();
  writeFileSync(temp.file('one'), 'same');
  writeFileSync(temp.file('two'), 'same');
  symlinkSync('one', name);
  const state = fileState(name)!;
  expect(Math.abs(state.ageMs)).toBeLessThan(10_000);
  expect(state.signature).toBe(signature('one'));
  expect(state.signature).not.toBe(signature('two'));
});

test('a link that leads nowhere is there, and what is gone is not', () => {
  const state = () => fileState(temp.file('a.yaml'));
  symlinkSync('..data/a.yaml', temp.file('a.yaml'));
  expect(state()).toBeDefined();
  const before = state()!.signature;
  mkdirSync(temp.file('..data'));
  writeFileSync(temp.file('..data', 'a.yaml'), 'a');
  expect(state()!.signature).not.toBe(before);
  rmSync(temp.file('a.yaml'));
  expect(state()).toBeUndefined();
});

test('a state is another once something else is written, whatever time is put on the file', async () => {
  const write = (text: string) => {
    writeFileSync(temp.file('one'), text);
    // As rsync and tar do it: the same size, and a time that says nothing.
    utimesSync(temp.file('one'), 1, 1);
    return fileState(temp.file('one'))!.signature;
  };
  const before = write('same');
  // The system's own clock of changes ticks every few milliseconds.
  await pause(20);
  expect(write('mesa')).not.toBe(before);
});

test('people know a file by where they are', () => {
  expect(shownPath(path.resolve('tenants/acme.yaml'))).toBe('tenants/acme.yaml');
  expect(shownPath('/elsewhere/acme.yaml')).toBe('/elsewhere/acme.yaml');
});
