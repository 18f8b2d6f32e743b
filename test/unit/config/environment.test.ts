import { expect, test } from 'vitest';
import { configSchema } from '../../../src/config/config.ts';
import { environmentOverrides, overrideByEnvironment } from '../../../src/config/environment.ts';

const settings = configSchema.parse({ listen: { port: 1, allowedHosts: ['a'] }, log: { format: 'text' } });
const override = (env: Record<string, string>) => overrideByEnvironment(settings, env);

test('nothing said, nothing changed', () => {
  expect(override({})).toEqual({ config: settings });
  expect(override({ PATH: '/bin', port: '9', OTHER: 'x' })).toEqual({ config: settings });
});

test.each([
  ['HOST', '0.0.0.0', { listen: { ...settings.listen, host: '0.0.0.0' } }],
  ['PORT', '9090', { listen: { ...settings.listen, port: 9090 } }],
  ['PORT', '0', { listen: { ...settings.listen, port: 0 } }],
  ['LOG_LEVEL', 'debug', { log: { ...settings.log, level: 'debug' } }],
  ['LOG_LEVEL', 'WARN', { log: { ...settings.log, level: 'warn' } }],
  ['MULTI_TENANT_POOL_SIZE', '3', { workers: { ...settings.workers, max: 3 } }],
  ['MULTI_TENANT_SESSION_TIMEOUT', '60000', { sessions: { ...settings.sessions, idle: 60_000 } }],
])('%s=%s changes one setting', (name, text, changed) => {
  expect(override({ [name]: text })).toEqual({ config: { ...settings, ...changed } });
});

test('every variable there is was tried above', () => {
  expect(Object.keys(environmentOverrides).sort()).toEqual([
    'HOST',
    'LOG_LEVEL',
    'MULTI_TENANT_POOL_SIZE',
    'MULTI_TENANT_SESSION_TIMEOUT',
    'PORT',
  ]);
});

test.each(Object.keys(environmentOverrides))('%s set to nothing is not set', (name) => {
  expect(override({ [name]: '' })).toEqual({ config: settings });
});

test.each([
  ['PORT', 'http'],
  ['PORT', '65536'],
  ['PORT', '-1'],
  ['PORT', '8080 '],
  ['PORT', '0x50'],
  ['LOG_LEVEL', 'loud'],
  ['MULTI_TENANT_POOL_SIZE', '0'],
  ['MULTI_TENANT_POOL_SIZE', 'many'],
  ['MULTI_TENANT_POOL_SIZE', '1e3'],
  ['MULTI_TENANT_POOL_SIZE', '100001'],
  ['MULTI_TENANT_SESSION_TIMEOUT', '30m'],
  ['MULTI_TENANT_SESSION_TIMEOUT', '-5'],
  ['MULTI_TENANT_SESSION_TIMEOUT', '1'],
])('%s=%j is a problem that names the variable', (name, text) => {
  expect(override({ [name]: text })).toEqual({
    problems: [
      {
        file: `environment variable ${name}`,
        line: 0,
        column: 0,
        code: 'INVALID_SETTING',
        message: expect.stringMatching(/\w{4}/) as string,
      },
    ],
  });
});

test('every bad one is told, and none quoted', () => {
  const result = override({ PORT: 's3cr3t', LOG_LEVEL: 's3cr3t', MULTI_TENANT_POOL_SIZE: 's3cr3t' });
  expect('problems' in result && result.problems).toHaveLength(3);
  expect(JSON.stringify(result)).not.toContain('s3cr3t');
});

test('the settings that were given stay as they were', () => {
  const before = structuredClone(settings);
  override({ PORT: '9', HOST: 'h' });
  expect(settings).toEqual(before);
});
