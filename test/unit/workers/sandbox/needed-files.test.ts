import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Need, neededFiles } from '../../../../src/workers/sandbox/needed-files.ts';
import { sandboxSettings } from '../../../../src/workers/sandbox/settings.ts';
import { useTempFolder } from '../../../support/temp-folder.ts';

const folder = useTempFolder();
const make = (name: string) => {
  mkdirSync(path.dirname(folder.file(name)), { recursive: true });
  writeFileSync(folder.file(name), '');
  chmodSync(folder.file(name), 0o755);
};

beforeEach(() => {
  for (const name of [
    'work/x',
    'home/.nvm/versions/v22/bin/node',
    'home/.cargo/bin/tool',
    'home/.local/bin/uvx',
  ])
    make(name);
  for (const name of ['app/package.json', 'app/dist/main.js', 'node_modules/a/x', 'data/notes', 'creds.json'])
    make(name);
  for (const name of ['home/.cargo/credentials.toml', 'home/.local/share/keyring']) make(name);
});

function needs(
  args: readonly string[],
  own: { env?: Record<string, string>; sandbox?: object; command?: string } = {},
): Need[] {
  const env = { HOME: folder.file('home'), PATH: '/usr/bin', ...own.env };
  const spec = { args, cwd: folder.file('work'), sandbox: sandboxSettings.parse(own.sandbox ?? {}) };
  return neededFiles(spec, own.command ?? '/usr/bin/node', env);
}
const read = (name: string): Need => ({ path: folder.file(name), kind: 'read' });
const write = (name: string): Need => ({ path: folder.file(name), kind: 'write' });

describe('a server needs', () => {
  test('the folder it starts in, to read', () => {
    expect(needs([])).toContainEqual(read('work'));
  });

  test('the package its script belongs to, and the packages beside it', () => {
    const found = needs([folder.file('app/dist/main.js')]);
    expect(found).toContainEqual(read('app'));
    expect(found).toContainEqual(read('node_modules'));
  });

  test('a folder its command line names, to write; a file to read; also behind =, and in its variables', () => {
    expect(needs([folder.file('data')])).toContainEqual(write('data'));
    expect(needs([`--root=${folder.file('data')}`])).toContainEqual(write('data'));
    expect(needs(['../data'])).toContainEqual(write('data'));
    expect(needs([], { env: { CREDENTIALS: folder.file('creds.json') } })).toContainEqual(read('creds.json'));
  });

  test('the place where its programs were installed, but no credentials that lie beside', () => {
    const PATH = ['home/.nvm/versions/v22/bin', 'home/.cargo/bin', 'home/.local/bin']
      .map((name) => folder.file(name))
      .join(':');
    const found = needs([], { env: { PATH } });
    expect(found).toContainEqual(read('home/.nvm/versions/v22'));
    expect(found).toContainEqual(read('home/.cargo/bin'));
    expect(found).toContainEqual(read('home/.local/bin'));
    for (const name of ['home/.cargo', 'home/.local', 'home']) expect(found).not.toContainEqual(read(name));
  });

  test('what its file says under sandbox', () => {
    const sandbox = { read: ['/srv/a'], write: ['/srv/b'] };
    expect(needs([], { sandbox })).toEqual(
      expect.arrayContaining([
        { path: '/srv/a', kind: 'read' },
        { path: '/srv/b', kind: 'write' },
      ]),
    );
  });

  test('to write what stands in a folder that its file says is its to write, whatever else names it', () => {
    const database = folder.file('data/notes');
    const found = needs([database, folder.file('app/dist/main.js')], {
      env: { DATABASE: database },
      sandbox: { write: [folder.file('data'), folder.file('work')], read: [database] },
    });
    expect(found.filter(({ path: file }) => file.startsWith(folder.file('data')))).toEqual([
      read('data/notes'),
      write('data'),
    ]);
    expect(found.filter(({ path: file }) => file === folder.file('work'))).toEqual([write('work')]);
    expect(found).toContainEqual(read('app'));
    expect(needs([database], { sandbox: { write: [database] } })).not.toContainEqual(read('data/notes'));
  });
});

describe('a command line does not give', () => {
  test.each(['/', '/etc', '/root', '/home', '/var', '/tmp', '/proc', '/usr/share'])('%s', (wide) => {
    expect(needs([wide, `--dir=${wide}`]).filter((each) => each.path === wide)).toEqual([]);
  });

  test('the operator’s home, or a folder around it', () => {
    for (const name of ['home', '.'])
      expect(needs([folder.file(name)]).filter((each) => each.kind === 'write')).toEqual([]);
  });

  test('what looks like a path and is none', () => {
    const args = [
      'https://example.com/x',
      '@scope/package',
      'a/b/c',
      '/not/there',
      '\0/x',
      `/${'x'.repeat(5000)}`,
    ];
    expect(needs(args)).toEqual(needs([]));
  });
});
