import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { isCredentialName } from '../../../src/secrets/secret-names.ts';
import { Secret } from '../../../src/secrets/secret.ts';

const value = 'the-value-itself-42';
const secret = new Secret(value);

test('a secret is revealed to who asks for it by name', () => {
  expect(secret.reveal()).toBe(value);
});

test.each<[string, (secret: Secret) => string]>([
  ['in a template', (it) => it as unknown as string],
  ['as a text', (it) => String(it)],
  ['added to a text', (it) => 'x' + (it as unknown as string)],
  ['in JSON', (it) => JSON.stringify({ it, list: [it] })],
  ['inspected', (it) => inspect(it)],
  ['inspected within something', (it) => inspect({ a: { b: [it] } }, { depth: 9, showHidden: true })],
  ['inspected with all that is hidden', (it) => inspect(it, { showHidden: true, customInspect: false })],
  ['copied', (it) => inspect(structuredClone(it))],
  ['with its fields copied', (it) => inspect(Object.assign({}, it))],
  ['by its keys', (it) => Reflect.ownKeys(it).join()],
  ['in an error', (it) => inspect(new Error('x', { cause: it }))],
  ['in a table of errors', (it) => String(new Error(it as unknown as string).stack)],
])('a secret cannot be printed: %s', (_how, print) => {
  expect(print(secret)).not.toContain('value');
});

test('two secrets look the same, so that nothing can be told from how they look', () => {
  expect(inspect(new Secret('a'))).toBe(inspect(new Secret('bb')));
  expect(JSON.stringify(secret)).toBe('"[secret]"');
});

test.each([
  ...[
    'API_KEY',
    'APIKEY',
    'API_TOKEN',
    'TOKEN',
    'GITHUB_TOKEN',
    'DB_PASSWORD',
    'PGPASSWORD',
    'PASS',
    'PWD',
    'SECRET',
  ],
  ...[
    'CLIENT_SECRET',
    'SDP_CLIENT_SECRET',
    'AUTOTASK_SECRET',
    'AUTOTASK_API_SECRET',
    'AUTOTASK_INTEGRATION_CODE',
  ],
  ...[
    'TENANT_001_OPENAI_KEY',
    'ENCRYPTION_KEY',
    'AWS_SECRET_ACCESS_KEY',
    'KEY',
    'apiKey',
    'clientSecret',
    'PRIVATE_KEY_2',
  ],
])('%s is called a credential', (name) => {
  expect(isCredentialName(name)).toBe(true);
});

test.each([
  ...[
    'REGION',
    'TOKEN_URL',
    'PASSWORD_POLICY',
    'KEY_ID',
    'KEYBOARD',
    'MONKEY',
    'PUBLIC_KEY',
    'SECRETS_DIR',
    'COMPASS',
  ],
  ...['TOKEN_TTL', 'AUTH_TYPE', 'API_KEY_FILE', 'SORT_KEY', 'TENANT_ID', 'ACCOUNT', 'NODE_ENV', 'BYPASS'],
])('%s is not', (name) => {
  expect(isCredentialName(name)).toBe(false);
});
