import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { version } from '../../../src/version.ts';
import { runRecorded } from '../../support/recording-terminal.ts';

const commands = [
  ['serve'],
  ['status'],
  ['check'],
  ['reload'],
  ['restart'],
  ['reap'],
  ['key', 'create'],
  ['key', 'list'],
  ['key', 'revoke'],
  ['client-config'],
  ['tenant', 'list'],
];

describe('help', () => {
  test('of the whole names every command', async () => {
    const { code, out, err } = await runRecorded('--help');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const [name] of commands) expect(out).toContain(`\n  ${name}`);
  });

  test.each(commands)('of %s %s', async (...words) => {
    const { code, out, err } = await runRecorded(...words, '--help');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(`Usage: proxy ${words.join(' ')}`);
    expect(out).toMatch(/--config <file>\s+the configuration file \(default: "proxy\.config\.yaml"\)/);
  });

  test('of the groups names what is in them', async () => {
    expect((await runRecorded('key', '--help')).out).toMatch(/create[^]*list[^]*revoke/);
    expect((await runRecorded('tenant', '--help')).out).toMatch(/list/);
  });

  test('every command and option there is stands in docs/operations.md', async () => {
    const page = readFileSync('docs/operations.md', 'utf8');
    for (const words of commands) {
      expect(page).toContain(`\`proxy ${words.join(' ')}`);
      const { out } = await runRecorded(...words, '--help');
      const options = [...out.matchAll(/^ {2}(--[a-z]+)/gm)].map(([, option]) => option!);
      expect(options).toContain('--config');
      for (const option of options) expect(page).toContain(option);
    }
  });
});

test('help of server, which needs no configuration', async () => {
  const { code, out } = await runRecorded('server', '--help');
  expect(code).toBe(0);
  expect(out).toContain('Usage: proxy server [options] [name]');
});

test('the version is the package`s', async () => {
  const { version: packaged } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(version).toBe(packaged);
  expect(await runRecorded('--version')).toEqual({ code: 0, out: `${packaged}\n`, err: '' });
});

describe('a command that is misused ends with 2 and says how it is used', () => {
  test.each([
    ['nothing at all', []],
    ['a command there is not', ['strt']],
    ['a group without a command', ['key']],
    ['a command of a group there is not', ['key', 'make', 'acme']],
    ['no tenant', ['key', 'list']],
    ['no tenant to restart', ['restart']],
    ['no name of a key', ['key', 'revoke', 'acme']],
    ['no name for a key', ['key', 'create', 'acme']],
    ['an option there is not', ['status', '--jsn']],
    ['too much', ['reload', 'acme']],
    ['too much of a key', ['key', 'list', 'acme', 'globex']],
    ['a port that is none', ['serve', '--port', 'http']],
    ['a port that is too big', ['serve', '--port', '65536']],
    ['a port that is below', ['serve', '--port', '-1']],
    ['an option without its value', ['check', '--config']],
  ])('%s', async (_what, args) => {
    const { code, out, err } = await runRecorded(...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/\w{3}/);
  });

  test('a slip is told with what was meant', async () => {
    expect((await runRecorded('statsu')).err).toMatch(/Did you mean status\?/);
    expect((await runRecorded('status', '--jsn')).err).toMatch(/Did you mean --json\?/);
  });

  test('a port that is none is told in words', async () => {
    expect((await runRecorded('serve', '--port', 'http')).err).toContain('Write a port between 0 and 65535');
  });
});
