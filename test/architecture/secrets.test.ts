import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../src');
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('servers'))
  .map((file) => ({ file, text: readFileSync(path.join(root, file), 'utf8') }));
const filesWith = (text: string) =>
  sources.filter((each) => each.text.includes(text)).map(({ file }) => file);

test('a secret is revealed where a process is given it, where generations are told apart, and nowhere else', () => {
  expect(filesWith('.reveal()').toSorted()).toEqual([
    // PATH, to look whether a command can be found.
    'cli/find-command.ts',
    'tenants/server-spec.ts',
    'workers/launch.ts',
  ]);
});

test('what of a secret must not be seen is known to the redactor only', () => {
  expect(filesWith('.sensitive()')).toEqual(['secrets/redactor.ts']);
});
