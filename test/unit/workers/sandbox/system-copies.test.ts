import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { openSystemCopies, type SystemCopies } from '../../../../src/workers/sandbox/system-copies.ts';
import { useTempFolder } from '../../../support/temp-folder.ts';

const temp = useTempFolder();
let source: string;
let copies: SystemCopies;
beforeEach(() => {
  source = temp.file('system');
  mkdirSync(path.join(source, 'ssl'), { recursive: true });
  mkdirSync(temp.file('state'), { mode: 0o700 });
  copies = openSystemCopies(temp.file('state'), source);
});

function fileOf(name: string, content: string, mode = 0o644): string {
  const file = path.join(source, name);
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}
const copyOf = (name: string) => path.join(copies.folder, name);
const modeOf = (file: string) => statSync(file).mode & 0o777;

test('a copy lies where its file lies, and everybody may read it and nobody write', () => {
  const mask = process.umask(0o077);
  try {
    expect(copies.of(fileOf('ssl/openssl.cnf', 'one'))).toBe('ssl/openssl.cnf');
  } finally {
    process.umask(mask);
  }
  expect(readFileSync(copyOf('ssl/openssl.cnf'), 'utf8')).toBe('one');
  expect([copies.folder, copyOf('ssl'), copyOf('ssl/openssl.cnf')].map(modeOf)).toEqual([
    0o755, 0o755, 0o444,
  ]);
});

test('a file that has changed is copied anew, into the folder that servers have mounted', () => {
  copies.of(fileOf('services', 'one'));
  const { ino } = statSync(copies.folder);
  expect(copies.of(fileOf('services', 'two and more'))).toBe('services');
  expect(readFileSync(copyOf('services'), 'utf8')).toBe('two and more');
  expect(statSync(copies.folder).ino).toBe(ino);
  expect(readdirSync(copies.folder)).toEqual(['services']);
});

test('a file that has not changed is not copied again', () => {
  const file = fileOf('services', 'one');
  copies.of(file);
  const { ino } = statSync(copyOf('services'));
  copies.of(file);
  expect(statSync(copyOf('services')).ino).toBe(ino);
});

test('what not everybody may read is not copied, and its copy goes if it was open before', () => {
  expect(copies.of(fileOf('shadow', 'x', 0o640))).toBeUndefined();
  copies.of(fileOf('services', 'one'));
  expect(copies.of(fileOf('services', 'secret', 0o600))).toBeUndefined();
  expect(existsSync(copyOf('shadow'))).toBe(false);
  expect(existsSync(copyOf('services'))).toBe(false);
});

test.each([
  ['large', () => fileOf('magic.mgc', 'x'.repeat(1024 ** 2 + 1))],
  ['gone', () => path.join(source, 'gone')],
  ['a folder', () => path.join(source, 'ssl')],
  [
    'from elsewhere',
    () => {
      writeFileSync(temp.file('elsewhere'), 'x');
      return temp.file('elsewhere');
    },
  ],
])('what is %s is not copied', (_, make) => {
  expect(copies.of(make())).toBeUndefined();
});

test('where nothing can be written nothing is copied', () => {
  writeFileSync(copies.folder, 'in the way');
  expect(copies.of(fileOf('services', 'one'))).toBeUndefined();
});
