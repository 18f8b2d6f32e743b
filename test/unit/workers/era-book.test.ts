import { utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { StateFile } from '../../../src/state/state-file.ts';
import { commandVersion, createEraBook } from '../../../src/workers/era-book.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { useTempFolder } from '../../support/temp-folder.ts';
import { secrets, someSpec } from './some-worker.ts';

const folder = useTempFolder();
const dayMs = 86_400_000;
const modern = { legacy: false, modern: true };
const unknown = { legacy: undefined, modern: undefined };

/** A file that lives in memory, as JSON does. */
function someFile(kept: Readonly<Record<string, unknown>> = {}) {
  let text = JSON.stringify(kept);
  const file: StateFile = {
    read: () => JSON.parse(text) as Record<string, unknown>,
    write: (make) => (text = JSON.stringify(make())),
    flush: () => undefined,
    remove: () => undefined,
  };
  return { file, text: () => text };
}

/** A server whose program is a file of these bytes. */
function serverOf(name: string, text: string) {
  const file = folder.file(name);
  writeFileSync(file, text);
  return someSpec([file]);
}

describe('what is known of a server', () => {
  test('is known to the next proxy', () => {
    const { file } = someFile();
    const clock = createFakeClock();
    const spec = serverOf('a.mjs', 'one');
    expect(createEraBook(file, clock).find(spec)).toEqual(unknown);
    createEraBook(file, clock).note(spec, modern);
    expect(createEraBook(file, clock).find(spec)).toMatchObject(modern);
    expect(createEraBook(file, clock).find(serverOf('b.mjs', 'one'))).toEqual(unknown);
  });

  test('holds for a week', () => {
    const clock = createFakeClock();
    const spec = serverOf('a.mjs', 'one');
    const book = createEraBook(someFile().file, clock);
    book.note(spec, modern);
    clock.advance(7 * dayMs - 1);
    expect(book.find(spec)).toMatchObject(modern);
    clock.advance(1);
    expect(book.find(spec)).toEqual(unknown);
    book.note(spec, modern);
    expect(book.find(spec)).toMatchObject(modern);
  });

  test.each([null, 7, 'text', [], {}, { modern: true }, { modern: true, at: 'yesterday' }])(
    'is nothing if the file has %j in its place',
    (entry) => {
      const spec = serverOf('a.mjs', 'one');
      const { file } = someFile({ [commandVersion(spec)]: entry });
      expect(createEraBook(file, createFakeClock()).find(spec)).toEqual(unknown);
    },
  );

  test('is of the five thousand seen last', () => {
    const { file, text } = someFile();
    const clock = createFakeClock();
    const kept = Object.fromEntries(
      Array.from({ length: 5000 }, (_none, at) => [`v${at}`, { ...modern, at: clock.wall() }]),
    );
    const spec = serverOf('a.mjs', 'one');
    file.write(() => kept);
    const book = createEraBook(file, clock);
    book.note(spec, modern);
    const keys = Object.keys(JSON.parse(text()) as object);
    expect(keys).toHaveLength(5000);
    expect([keys[0], keys.at(-1)]).toEqual(['v1', commandVersion(spec)]);
  });
});

describe('a version of a command', () => {
  test('is another when the program is: its size, or its date', () => {
    const before = commandVersion(serverOf('a.mjs', 'one'));
    expect(commandVersion(someSpec([folder.file('a.mjs')]))).toBe(before);
    utimesSync(folder.file('a.mjs'), new Date(0), new Date(0));
    const older = commandVersion(someSpec([folder.file('a.mjs')]));
    expect(older).not.toBe(before);
    writeFileSync(folder.file('a.mjs'), 'more');
    utimesSync(folder.file('a.mjs'), new Date(0), new Date(0));
    expect(commandVersion(someSpec([folder.file('a.mjs')]))).not.toBe(older);
  });

  test('is another when the command line is', () => {
    const versions = [[], ['a'], ['a', 'b'], ['b', 'a'], ['a b'], ['a\u0000b'], ['']].map((args) =>
      commandVersion(someSpec(args)),
    );
    expect(new Set(versions).size).toBe(versions.length);
  });

  test('is found where the server runs', () => {
    const here = serverOf('a.mjs', 'one');
    const relative = (cwd: string) => commandVersion({ ...here, args: ['a.mjs'], cwd });
    expect(relative(folder.path)).not.toBe(relative('/'));
  });

  test('is the same for all tenants: of their secrets nothing is in it', () => {
    const spec = serverOf('a.mjs', 'one');
    expect(commandVersion({ ...spec, name: 'x', env: secrets({ TOKEN: 's3cret' }), generation: 'y' })).toBe(
      commandVersion(spec),
    );
  });
});
