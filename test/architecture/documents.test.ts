import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { errorCodes } from '../../src/calls/error.ts';
import { createProgram } from '../../src/cli/program.ts';
import { type ProxyEvent } from '../../src/events/events.ts';
import { problemCodes } from '../../src/yaml/problem.ts';

/** Documents that name codes, events, commands or settings fail here when they lie. */
const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const filesIn = (folder: string, ending: string) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => path.join(folder, file));
const documents = ['README.md', 'SECURITY.md', 'CHANGELOG.md', ...filesIn('docs', '.md')];

/** First cells of a document's table rows, bare of back-ticks. */
const firstCells = (text: string) => [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell = '']) => cell);

describe('errors', () => {
  const codes = new Set<string>([...Object.keys(errorCodes), ...Object.keys(problemCodes)]);

  test.each(Object.entries(errorCodes))(
    '%s is told as the table has it',
    (code, { http, rpc, executed, retryable }) => {
      const row = `| \`${code}\` | ${http} | ${rpc} | ${executed} | ${retryable ? 'yes' : 'no'} |`;
      expect(read('docs/errors.md')).toContain(row);
    },
  );

  test('docs/errors.md has every code once, and no other', () => {
    const [ofClients = '', ofFiles = ''] = read('docs/errors.md').split(
      '## What can be wrong with the configuration',
    );
    expect(firstCells(ofClients).toSorted()).toEqual(Object.keys(errorCodes).toSorted());
    expect(firstCells(ofFiles).toSorted()).toEqual(Object.keys(problemCodes).toSorted());
  });

  test.each(documents)('%s names no code that does not exist', (file) => {
    // Codes stand in back-ticks; environment variables do too, but never with these endings or alone.
    const named = [...read(file).matchAll(/`([A-Z]+(?:_[A-Z]+)*)`/g)].map(([, code = '']) => code);
    const notCodes = new Set([
      'PATH',
      'HOME',
      'ACCOUNT',
      'API_TOKEN',
      'ACME_TOKEN',
      'NO_COLOR',
      'KEY',
      'TENANT',
    ]);
    expect(named.filter((name) => !codes.has(name) && !notCodes.has(name))).toEqual([]);
  });
});

describe('events', () => {
  const source = read('src/events/events.ts');
  const types = [...source.matchAll(/readonly type: '([a-z.]+)'/g)].map(
    ([, type = '']) => type as ProxyEvent['type'],
  );

  test('docs/operations.md has every event once, and no other', () => {
    expect(types.length).toBeGreaterThan(10);
    const named = firstCells(read('docs/operations.md')).filter((cell) => /^[a-z]+\.[a-z]+$/.test(cell));
    expect(named.toSorted()).toEqual(types.toSorted());
  });
});

describe('commands', () => {
  const program = createProgram(
    { out() {}, err() {}, colours: false, width: () => undefined },
    () => undefined,
  );
  const leaves = (command: Command): Command[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
  const fullName = (command: Command): string =>
    command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
  const rows = firstCells(read('docs/operations.md')).filter((cell) => cell.startsWith('proxy '));

  test.each(leaves(program).map((command) => [fullName(command), command] as const))(
    '%s is documented with its arguments and options',
    (name, command) => {
      const row = rows.find((cell) => cell === name || cell.startsWith(`${name} `)) ?? '';
      expect(row).not.toBe('');
      for (const argument of command.registeredArguments)
        expect(row).toContain(argument.name().toUpperCase());
      const documented = [...row.matchAll(/--[a-z-]+/g)].map(([option]) => option);
      const real = command.options.map(({ long }) => long).filter((long) => long !== '--config');
      expect(documented.toSorted()).toEqual(real.toSorted());
    },
  );

  test('no document names a command that does not exist', () => {
    const names = new Set(leaves(program).map(fullName));
    const groups = new Set(program.commands.map((command) => command.name()));
    for (const file of documents) {
      const named = [...read(file).matchAll(/[`$] ?proxy ([a-z-]+)(?: ([a-z]+))?/g)];
      const unknown = named.filter(([, first = '', second = '']) => {
        if (names.has(`proxy ${first}`)) return false;
        return second === '' ? !groups.has(first) : !names.has(`proxy ${first} ${second}`);
      });
      expect(unknown.map(([text]) => `${file}: ${text}`)).toEqual([]);
    }
  });
});
