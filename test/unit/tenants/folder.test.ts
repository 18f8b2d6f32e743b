import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { Folder, type FolderLook } from '../../../src/tenants/folder.ts';
import { type ReadingContext } from '../../../src/tenants/reading.ts';
import { readingContext, revealed, secretsFrom, tenantText } from '../../support/some-tenants.ts';
import { useTempFolder } from '../../support/temp-folder.ts';

const temp = useTempFolder();
/** Which files were read: each has a variable of its own name in it. */
let readFiles: string[];
let context: ReadingContext;
let folder: Folder;
beforeEach(() => {
  readFiles = [];
  context = {
    ...readingContext,
    secrets: secretsFrom((name) => {
      readFiles.push(name);
      return '';
    }),
  };
  mkdirSync(temp.file('tenants'));
  folder = new Folder(temp.file('tenants'), context);
});
const inFolder = (name: string) => temp.file('tenants', name);
const put = (id: string, more = '') => {
  const text = `tenant: ${id}\nserver: { command: node, env: { A: "\${${id}}" } }\n${more}`;
  writeFileSync(temp.file('fresh'), text);
  renameSync(temp.file('fresh'), inFolder(`${id}.yaml`));
};
const namesOf = async (names?: readonly string[]) => {
  const { records } = await folder.look(names && new Set(names));
  return records.map(({ name }) => name);
};

test('a file is read again when a secret it takes from elsewhere has changed, at a look at all', async () => {
  folder = new Folder(temp.file('tenants'), { ...readingContext, secrets: secretsFrom(() => '', temp.path) });
  const write = (text: string) => {
    writeFileSync(temp.file('fresh'), text);
    renameSync(temp.file('fresh'), temp.file('mounted'));
  };
  const tokenOf = (looked: FolderLook) =>
    looked.records.map(({ candidate, problems }) =>
      candidate ? revealed(candidate.servers.get('default')?.env)['A'] : problems[0]?.code,
    );
  writeFileSync(inFolder('a.yaml'), 'tenant: a\nserver: { command: x, env: { A: "${file:mounted}" } }\n');
  put('b');
  expect(tokenOf(await folder.look(undefined))).toEqual(['MISSING_SECRET', '']);
  write('one');
  expect(tokenOf(await folder.look(undefined))).toEqual(['one', '']);
  const { records } = await folder.look(undefined);
  write('two');
  // Somebody saved another file: not the time to look at everything.
  expect(tokenOf(await folder.look(new Set(['b.yaml'])))).toEqual(['one', '']);
  const again = await folder.look(undefined);
  expect(tokenOf(again)).toEqual(['two', '']);
  // Who takes nothing from there is the very same.
  expect(again.records[1]).toBe(records[1]);
});

test('a file is read once, and again only if it has changed', async () => {
  put('a');
  put('b');
  expect(await namesOf()).toEqual(['a.yaml', 'b.yaml']);
  const [a] = (await folder.look(undefined)).records;
  expect(readFiles).toEqual(['a', 'b']);
  put('b', 'enabled: false\n');
  const { records } = await folder.look(undefined);
  expect(readFiles).toEqual(['a', 'b', 'b']);
  expect(records[0]).toBe(a);
});

test('a file that was only touched is the same tenant by its settings, and read again', async () => {
  put('a');
  await folder.look(undefined);
  utimesSync(inFolder('a.yaml'), 1, 1);
  await folder.look(undefined);
  expect(readFiles).toEqual(['a', 'a']);
});

test('a look at some names sees these only', async () => {
  put('a');
  await folder.look(undefined);
  put('b');
  put('c');
  expect(await namesOf(['c.yaml'])).toEqual(['a.yaml', 'c.yaml']);
  expect(await namesOf(['nobody.yaml'])).toEqual(['a.yaml', 'c.yaml']);
  expect(await namesOf()).toEqual(['a.yaml', 'b.yaml', 'c.yaml']);
});

test('records are in the order of their names, whenever the files came', async () => {
  for (const id of ['m', 'z', 'a']) {
    put(id);
    await folder.look(new Set([`${id}.yaml`]));
  }
  expect(await namesOf()).toEqual(['a.yaml', 'm.yaml', 'z.yaml']);
});

test('a file with a problem has a record, its problem and no tenant', async () => {
  writeFileSync(inFolder('a.yaml'), 'tenant: a\n');
  const { records, problems } = await folder.look(undefined);
  expect(problems).toEqual([]);
  expect(records).toMatchObject([
    { name: 'a.yaml', candidate: undefined, problems: [{ file: inFolder('a.yaml'), line: 1 }] },
  ]);
});

test('the problem of a folder stays until a look at all of it finds it well', async () => {
  put('a');
  await folder.look(undefined);
  renameSync(temp.file('tenants'), temp.file('away'));
  expect((await folder.look(undefined)).problems).toMatchObject([{ code: 'UNREADABLE' }]);
  renameSync(temp.file('away'), temp.file('tenants'));
  const { records, problems } = await folder.look(undefined);
  expect(problems).toEqual([]);
  expect(records).toHaveLength(1);
});

test('where the last files went one by one, the problem goes once there is a file again', async () => {
  put('a');
  await folder.look(undefined);
  rmSync(inFolder('a.yaml'));
  const emptied = await folder.look(new Set(['a.yaml']));
  expect(emptied.records).toHaveLength(1);
  expect(emptied.problems).toMatchObject([{ code: 'UNREADABLE' }]);
  put('a');
  // The watcher names what came; nobody looks at all of it for the next ten seconds.
  expect((await folder.look(new Set(['a.yaml']))).problems).toEqual([]);
});

test('what people are shown is where they find it', async () => {
  writeFileSync(inFolder('a.yaml'), tenantText('b'));
  const { records } = await folder.look(undefined);
  expect(records[0]?.problems[0]?.file).toBe(path.join(temp.path, 'tenants/a.yaml'));
});

test('a link that leads nowhere for a moment is a problem of its file, and the file of before once it leads there again', async () => {
  mkdirSync(temp.file('mounted'));
  const target = temp.file('mounted', 'a.yaml');
  const problemsOf = async (names?: readonly string[]) =>
    (await folder.look(names && new Set(names))).records.map(({ name, problems }) => [
      name,
      problems[0]?.message,
    ]);
  put('b');
  put('a');
  renameSync(inFolder('a.yaml'), target);
  symlinkSync(target, inFolder('a.yaml'));
  const sound = [
    ['a.yaml', undefined],
    ['b.yaml', undefined],
  ];
  expect(await problemsOf()).toEqual(sound);
  renameSync(temp.file('mounted'), temp.file('elsewhere'));
  for (const names of [undefined, ['a.yaml']])
    expect(await problemsOf(names)).toEqual([
      ['a.yaml', expect.stringMatching(/^It is a link that leads nowhere; put back .* remove the link/)],
      ['b.yaml', undefined],
    ]);
  renameSync(temp.file('elsewhere'), temp.file('mounted'));
  expect(await problemsOf()).toEqual(sound);
  rmSync(inFolder('a.yaml'));
  expect(await problemsOf()).toEqual([['b.yaml', undefined]]);
});
