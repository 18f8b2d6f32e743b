import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { errorCodes } from '../../src/calls/error.ts';
import { createProgram } from '../../src/cli/program.ts';
import { configSchema } from '../../src/config/config.ts';
import { environmentOverrides } from '../../src/config/environment.ts';
import { type ProxyEvent } from '../../src/events/events.ts';
import { tenantDefinition } from '../../src/tenants/definition.ts';
import { failureCodes } from '../../src/servers/kit/failure.ts';
import { problemCodes, warningCodes } from '../../src/yaml/problem.ts';
import { readYaml } from '../../src/yaml/read-yaml.ts';
import { serverSettings, settingsIn } from './settings.ts';

/** Documents that name codes, events, commands or settings fail here when they lie. */
const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const filesIn = (folder: string, ending: string) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => path.join(folder, file));
const documents = ['README.md', 'SECURITY.md', 'CHANGELOG.md', ...filesIn('docs', '.md')];

/** Words in capitals that are no codes. */
const otherVariables = [
  ...['PATH', 'HOME', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR', 'NO_COLOR'],
  ...['ACCOUNT', 'API_TOKEN', 'ACME_TOKEN', 'MCPX_WORKER', 'KEY', 'TENANT', 'NAME'],
];

/** What the pages of the bundled servers name beside: failures of tools, and their own variables and codes. */
const ofServers = (file: string): readonly string[] => {
  if (!file.startsWith('docs/servers/')) return [];
  const source = filesIn('src/servers', '.ts').map(read).join('\n');
  const quoted = [...source.matchAll(/'([A-Z]+(?:_[A-Z]+)*)'/g)].map(([, name = '']) => name);
  return [...Object.keys(failureCodes), ...quoted];
};

/** First cells of a document's table rows, bare of back-ticks. */
const firstCells = (text: string) => [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell = '']) => cell);

describe('errors', () => {
  const codes = new Set<string>(
    [errorCodes, problemCodes, warningCodes].flatMap((table) => Object.keys(table)),
  );

  test.each(Object.entries(errorCodes))(
    '%s is told as the table has it',
    (code, { http, rpc, executed, retryable }) => {
      const row = `| \`${code}\` | ${http} | ${rpc} | ${executed} | ${retryable ? 'yes' : 'no'} |`;
      expect(read('docs/errors.md')).toContain(row);
    },
  );

  test('docs/errors.md has every code once, and no other', () => {
    const [ofClients = '', ofFiles = '', ofWarnings = ''] = read('docs/errors.md').split(
      /## What (?:can be wrong with the configuration|`proxy check` warns of)/,
    );
    expect(firstCells(ofClients).toSorted()).toEqual(Object.keys(errorCodes).toSorted());
    expect(firstCells(ofFiles).toSorted()).toEqual(Object.keys(problemCodes).toSorted());
    expect(firstCells(ofWarnings).toSorted()).toEqual(Object.keys(warningCodes).toSorted());
  });

  test('docs/servers has every failure of a tool as the kit has it', () => {
    for (const [code, meaning] of Object.entries(failureCodes))
      expect(read('docs/servers/README.md')).toContain(`| \`${code}\` | ${meaning} |`);
  });

  test.each(documents)('%s names no code that does not exist', (file) => {
    // Codes stand in back-ticks; environment variables do too, but never with these endings or alone.
    const named = [...read(file).matchAll(/`([A-Z]+(?:_[A-Z]+)*)`/g)].map(([, code = '']) => code);
    const notCodes = new Set([...Object.keys(environmentOverrides), ...otherVariables, ...ofServers(file)]);
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
    { out: () => undefined, err: () => undefined, colours: false, width: () => undefined },
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

describe('settings', () => {
  const text = read('docs/configuration.md');
  const [ofProxy = '', ofTenants = ''] = text.split('## tenants/');
  const rowsOf = (part: string) =>
    [...part.matchAll(/^\| `([^`]+)` \| (?:`([^`]*)`)? ?\|/gm)].map(([, key = '', value]) => ({
      key,
      value,
    }));
  const proxyRows = rowsOf(ofProxy).filter(({ key }) => !(key in environmentOverrides));
  const tenantRows = rowsOf(ofTenants);
  const variables = firstCells(ofProxy).filter((cell) => cell in environmentOverrides);

  test('docs/configuration.md has every key of proxy.config.yaml once, and no other', () => {
    const real = settingsIn(configSchema).filter((key) => !key.startsWith('defaults.'));
    const named = proxyRows.map(({ key }) => key);
    expect(named.filter((key) => !key.startsWith('defaults.')).toSorted()).toEqual(real.toSorted());
  });

  test('… every key of a tenant once, and no other', () => {
    const real = [...settingsIn(tenantDefinition), ...serverSettings];
    expect(tenantRows.map(({ key }) => key).toSorted()).toEqual([...new Set(real)].toSorted());
  });

  test('… every variable of the environment', () => {
    expect(variables.toSorted()).toEqual(Object.keys(environmentOverrides).toSorted());
  });

  /** What a setting is when a file says `value`, or nothing. */
  const settled = (key: string, value?: string) => {
    const [last = '', ...outer] = key.split('.').reverse();
    const line = outer.reduceRight((before, each) => `${before}{ ${each}: `, '');
    const inner =
      value === undefined ? '{}' : `{ ${last}: ${value.startsWith('^') ? JSON.stringify(value) : value} }`;
    const parsed = readYaml(
      outer.length === 0 ? inner : `${line}${inner}${' }'.repeat(outer.length)}`,
      'doc',
      configSchema,
    );
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return key.split('.').reduce<unknown>((at, each) => (at as Record<string, unknown>)[each], parsed.value);
  };

  test.each(proxyRows.filter(({ value }) => value !== undefined))(
    'the default of $key is told as it is',
    ({ key, value }) => {
      expect(settled(key, value)).toEqual(settled(key));
    },
  );

  test.each(tenantRows.filter(({ key, value }) => value !== undefined && /^(pool|deadline)\./.test(key)))(
    "the default of a tenant's $key is told as it is",
    ({ key, value }) => {
      expect(settled(`defaults.${key}`, value)).toEqual(settled(`defaults.${key}`));
    },
  );
});

describe('examples', () => {
  const blocks = documents.flatMap((file) =>
    [...read(file).matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => ({ file, text })),
  );
  const files = ['tenants', 'tenants/examples']
    .flatMap((folder) =>
      readdirSync(path.join(root, folder))
        .filter((name) => name.endsWith('.yaml'))
        .map((name) => path.join(folder, name)),
    )
    .concat('proxy.config.yaml')
    .map((file) => ({ file, text: read(file) }));

  test.each([...blocks, ...files])('the YAML in $file can be read', ({ file, text }) => {
    const schema = /^tenant:/m.test(text) ? tenantDefinition : configSchema;
    const parsed = readYaml(text, file, schema);
    expect(parsed.ok ? [] : parsed.problems).toEqual([]);
  });

  test('there are some', () => {
    expect(blocks.length).toBeGreaterThan(3);
  });
});

describe('threats', () => {
  const rows = [...read('docs/security.md').matchAll(/^\| (T\d+) \| (.*) \| (.*) \| (.*) \|$/gm)].map(
    ([, id = '', threat, done, tests = '']) => ({ id, threat, done, tests }),
  );

  test('all of them are told, once and in order', () => {
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 48 }, (_, at) => `T${at + 1}`));
  });

  // A link's text is words of a test in the file it leads to, so a test that is renamed or removed is missed here.
  test.each(rows)('$id is linked to tests that are there', ({ tests }) => {
    const links = tests.split(' · ').map((link) => /^\[(.+)\]\(\.\.\/(test\/\S+\.test\.ts)\)$/.exec(link));
    for (const link of links) {
      expect(link, tests).not.toBeNull();
      const [, words = '', file = ''] = link!;
      expect(read(file).includes(words), `${file} has no test "${words}"`).toBe(true);
    }
  });
});

test('`npm start` listens where the README says', () => {
  const shipped = readYaml(read('proxy.config.yaml'), 'proxy.config.yaml', configSchema);
  if (!shipped.ok) throw new Error(JSON.stringify(shipped.problems));
  const { host, port } = shipped.value.listen;
  const named = [...read('README.md').matchAll(/http:\/\/(127\.0\.0\.1:\d+)/g)].map(([, at]) => at);
  expect(new Set(named)).toEqual(new Set([`${host}:${port}`]));
});
