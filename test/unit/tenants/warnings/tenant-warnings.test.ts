import { mkdirSync, symlinkSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { looksLikeCredential } from '../../../../src/secrets/credential-shapes.ts';
import { mountedFilesIn, warningsIn } from '../../../../src/tenants/warnings/tenant-warnings.ts';
import { useTempFolder } from '../../../support/temp-folder.ts';

const ground = {
  folder: '/srv/proxy',
  tenants: '/srv/proxy/tenants',
  state: '/var/lib/proxy/state',
  hidden: () => ['/etc/ssl', '/dev/null'],
};
const inServer = (lines: string) => `tenant: acme\nserver:\n  command: node\n${lines}`;
/** `line:column CODE`, one for each warning. */
const warned = (text: string) =>
  warningsIn(text, 'acme.yaml', ground).map(({ line, column, code }) => `${line}:${column} ${code}`);
const ofVariable = (name: string, value: string) =>
  warned(inServer(`  env:\n    ${name}: ${JSON.stringify(value)}\n`)).map((each) => each.split(' ')[1]);

describe('a credential in plain text', () => {
  test.each([
    ['API_TOKEN', 'anything'],
    ['DB_PASSWORD', 'x'],
    ['DB', 'postgres://acme:hunter2@db/acme'],
    ['ANYTHING', 'ghp_abcdefghijklmnopqrstuvwxyz0123456789'],
    ['ANYTHING', 'mcpx_0123456789ab_0123456789abcdef0123456789abcdef'],
    ['ANYTHING', 'Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'],
    ['ANYTHING', '-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----'],
    ['ANYTHING', 'q7Rz1KpV9sLw3XcN8mTb5YhJ2dFg6AeU'],
    ['ANYTHING', '${HOST}?key=q7Rz1KpV9sLw3XcN8mTb5YhJ2dFg6AeU'],
  ])('%s: %s', (name, value) => {
    expect(ofVariable(name, value)).toEqual(['PLAIN_SECRET']);
  });

  test.each([
    ['API_TOKEN', '${ACME_TOKEN}'],
    ['API_TOKEN', '${vault:API_TOKEN}'],
    ['API_TOKEN', 'Bearer ${file:/run/token}'],
    ['API_TOKEN', ''],
    ['API_TOKEN', '${ACME_TOKEN:}'],
    ['USE_TOKEN', 'true'],
    ['DB', 'postgres://acme:${DB_PASSWORD}@db/acme'],
    ['URL', 'https://api.example.com/v1'],
    ['ACCOUNT', 'acme'],
    ['ID', '123e4567-e89b-12d3-a456-426614174000'],
    ['SHA256', '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
    ['REGION', '${ACME_REGION:eu}'],
    ['DATABASE_URL', 'file:///data/acme.db'],
  ])('is not %s: %s', (name, value) => {
    expect(ofVariable(name, value)).toEqual([]);
  });

  test('among the arguments, which everybody can read', () => {
    expect(warned(inServer('  args: ["--api-key=abc", "--port=1", "sk-live-abcdefghijkl"]\n'))).toEqual([
      '4:10 PLAIN_SECRET',
      '4:39 PLAIN_SECRET',
    ]);
  });

  test('is never quoted', () => {
    const secret = 'ghp_abcdefghijklmnopqrstuvwxyz0123456789';
    const text = inServer(`  args: ["${secret}"]\n  env: { A: "${secret}", B_KEY: "\${X:${secret}}" }\n`);
    expect(warned(text)).toHaveLength(3);
    expect(JSON.stringify(warningsIn(text, 'acme.yaml', ground))).not.toContain('ghp_');
  });
});

test.each([
  ['DB_PASSWORD', '${TENANT_001_DB_PASSWORD:default_password}'],
  ['ANYTHING', '${ACME_TOKEN:x}'],
  ['ANYTHING', '${X:sk-live-abcdefghijklmn}'],
])('a default of a credential: %s: %s', (name, value) => {
  expect(ofVariable(name, value)).toEqual(['DEFAULT_SECRET']);
});

test.each(['vault:API_TOKEN', 'file:/run/token', 'secret://vault/x'])(
  '%s is no reference as it stands',
  (value) => {
    expect(ofVariable('ANYTHING', value)).toEqual(['UNUSED_REFERENCE']);
  },
);

test('a reference in an argument is filled in by nobody', () => {
  expect(warned(inServer('  args: ["--token", "${ACME_TOKEN}"]\n'))).toEqual(['4:21 UNUSED_REFERENCE']);
});

test('of several servers each is looked at, with its own place', () => {
  const text = [
    'tenant: acme',
    'servers:',
    '  a: { command: npx, args: ["-y", "some-mcp"] }',
    '  b:',
    '    command: node',
    '    env: { API_KEY: plain }',
  ].join('\n');
  expect(warned(text)).toEqual(['3:22 UNPINNED_PACKAGE', '6:12 PLAIN_SECRET']);
});

test('of a file that is broken nothing is said: that comes first', () => {
  expect(warned('tenant: acme\nserver: { command: npx, args: [x], env: { A_KEY: 1 } }\n')).toEqual([]);
});

test('mounted files are found wherever they are taken from', () => {
  const text =
    'tenant: acme\nservers:\n  a: { command: x, env: { A: "${file:/run/a} ${file:b}" } }\n  b: { command: x, env: { A: "${vault:c}" } }\n';
  expect(mountedFilesIn(text)).toEqual(['/run/a', 'b']);
});

test.each([
  'AKIAIOSFODNN7EXAMPLE',
  'xoxb-1234567890-abcdef',
  'glpat-abcdefghijklmnopqrst',
  'AIzaSyA-1234567890abcdefghijklmnopqrstu',
])('%s is known by how it begins', (text) => {
  expect(looksLikeCredential(`before ${text} after`)).toBe(true);
});

describe('what stands under sandbox and is not there', () => {
  const temp = useTempFolder();
  test('is told with its place, whether it is to be read or written', () => {
    const lines =
      '  sandbox:\n    read: [/usr, /nowhere/models]\n    write:\n      - nowhere\n      - /dev/null\n';
    expect(warned(inServer(lines))).toEqual(['5:18 MISSING_PATH', '7:9 MISSING_PATH', '8:9 HIDDEN_PATH']);
  });

  test('or is never shown: itself, or what it lies in', () => {
    mkdirSync(temp.file('state', 'in'), { recursive: true });
    symlinkSync(temp.file('state'), temp.file('link'));
    const paths = ['', 'state', 'state/in', 'link/in'].map((each) => temp.file(each));
    const text = inServer(`  sandbox: { read: [${paths.join(', ')}] }\n`);
    const hidden = () => [temp.file('link')];
    const codes = warningsIn(text, 'acme.yaml', { ...ground, hidden }).map(({ code }) => code);
    expect(codes).toEqual(['HIDDEN_PATH', 'HIDDEN_PATH', 'HIDDEN_PATH']);
  });
});

describe('a folder that holds what decides what the proxy runs', () => {
  const temp = useTempFolder();
  const own = () => ({
    folder: temp.file('etc'),
    tenants: temp.file('etc', 'tenants'),
    state: temp.file('var', 'state'),
  });
  const toldOf = (lines: string) =>
    warningsIn(inServer(lines), 'acme.yaml', { ...own(), hidden: () => [] }).map(
      ({ line, column, code, message }) =>
        `${line}:${column} ${code} ${/holds (.*), which/.exec(message)?.[1]}`,
    );
  beforeEach(() => {
    for (const each of Object.values(own())) mkdirSync(each, { recursive: true });
    mkdirSync(temp.file('etc', 'data'));
    symlinkSync(temp.file('etc'), temp.file('link'));
  });

  test.each([
    ['.', 'the configuration and the tenants folder'],
    ['..', 'the configuration and the tenants folder and state'],
    ['/', 'the configuration and the tenants folder and state'],
    ['../link', 'the configuration and the tenants folder'],
    ['tenants', 'the tenants folder'],
    ['../var', 'state'],
  ])('that a server may write, as %s', (written, held) => {
    expect(toldOf(`  sandbox: { write: [data, ${written}] }\n`)).toEqual([`4:28 WIDE_FOLDER ${held}`]);
  });

  test('that it starts in, unless it is where all start', () => {
    expect(toldOf('  cwd: ..\n')).toEqual([
      '4:3 WIDE_FOLDER the configuration and the tenants folder and state',
    ]);
    for (const cwd of ['.', 'data', temp.file('etc')]) expect(toldOf(`  cwd: ${cwd}\n`)).toEqual([]);
  });

  test('is no matter to who only reads', () => {
    expect(toldOf('  sandbox: { read: [., ..], write: [data] }\n')).toEqual([]);
  });
});
