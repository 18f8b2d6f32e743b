import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { isIn, show, type Shown } from '../../../../src/workers/sandbox/visible-files.ts';
import { useTempFolder } from '../../../support/temp-folder.ts';

const folder = useTempFolder();
const none = { secret: [], personal: [] };
const pathsOf = (shown: readonly Shown[]) =>
  shown.map((each) => path.relative(folder.path, each.path)).toSorted();

/** app/{tenants/acme.yaml, src/main.js, data/a/b, .proxy/admin.sock} */
beforeEach(() => {
  for (const name of ['app/tenants', 'app/src', 'app/data/a', 'app/.proxy'])
    mkdirSync(folder.file(name), { recursive: true });
  for (const name of ['app/tenants/acme.yaml', 'app/src/main.js', 'app/data/a/b'])
    writeFileSync(folder.file(name), '');
});

describe('a folder', () => {
  test('is shown as a whole where nothing in it is hidden', () => {
    expect(show(folder.file('app'), 'read', none)).toEqual([{ kind: 'read', path: folder.file('app') }]);
  });

  test('is shown in parts around what is hidden in it, so that no cover can slip', () => {
    const hidden = {
      secret: [folder.file('app/tenants'), folder.file('app/.proxy/admin.sock')],
      personal: [],
    };
    expect(pathsOf(show(folder.file('app'), 'read', hidden))).toEqual(['app/data', 'app/src']);
  });

  test('that is hidden is not shown by whatever name it is asked for', () => {
    const hidden = { secret: [folder.file('app/tenants')], personal: [] };
    symlinkSync(folder.file('app/tenants'), folder.file('other'));
    for (const name of [
      'app/tenants',
      'app/tenants/acme.yaml',
      'app/src/../tenants',
      'other',
      'other/acme.yaml',
    ])
      expect(show(folder.file(name), 'write', hidden)).toEqual([]);
  });

  test('of somebody’s own is shown when it is asked for, not when a folder around it is', () => {
    const hidden = { secret: [], personal: [folder.file('app/data')] };
    expect(pathsOf(show(folder.file('app'), 'read', hidden))).not.toContain('app/data');
    expect(pathsOf(show(folder.file('app/data'), 'read', hidden))).toEqual(['app/data']);
    expect(pathsOf(show(folder.file('app/data/a'), 'read', hidden))).toEqual(['app/data/a']);
  });

  test('that is not there shows nothing', () => {
    expect(show(folder.file('nowhere'), 'read', none)).toEqual([]);
  });

  test('with a link to what is hidden shows the link, which leads nowhere', () => {
    symlinkSync('tenants', folder.file('app/link'));
    const hidden = { secret: [folder.file('app/tenants')], personal: [] };
    const shown = show(folder.file('app'), 'read', hidden);
    expect(shown).toContainEqual({ kind: 'link', path: folder.file('app/link'), target: 'tenants' });
    expect(pathsOf(shown)).not.toContain('app/tenants');
  });

  test('that is a link is found under both names', () => {
    symlinkSync(folder.file('app/src'), folder.file('link'));
    expect(show(folder.file('link/main.js'), 'read', none)).toEqual([
      { kind: 'read', path: folder.file('app/src/main.js') },
      { kind: 'link', path: folder.file('link'), target: folder.file('app/src') },
    ]);
  });
});

test('whatever is hidden and whatever is asked for, nothing hidden is in what is shown, nor around it', () => {
  const names = [
    'app',
    'app/tenants',
    'app/tenants/acme.yaml',
    'app/src',
    'app/src/main.js',
    'app/data',
    'app/data/a',
    'app/data/a/b',
  ];
  const some = fc.subarray(names, { minLength: 1 });
  fc.assert(
    fc.property(some, fc.constantFrom(...names), (secret, asked) => {
      const hidden = { secret: secret.map((name) => folder.file(name)), personal: [] };
      for (const { path: shown } of show(folder.file(asked), 'read', hidden))
        for (const each of hidden.secret) {
          expect(isIn(shown, each)).toBe(false);
          expect(isIn(each, shown)).toBe(false);
        }
    }),
  );
});

test('a name that only begins alike is another folder', () => {
  expect(isIn('/srv/app-2', '/srv/app')).toBe(false);
  expect(isIn('/srv/app/2', '/srv/app')).toBe(true);
  expect(isIn('/srv', '/')).toBe(true);
});
