import { describe, expect, test } from 'vitest';
import {
  EnvironmentProblem,
  optional,
  readEnvironment,
  required,
} from '../../../../src/servers/kit/environment.ts';
import {
  choice,
  flag,
  integer,
  list,
  secret,
  text,
  webUrl,
} from '../../../../src/servers/kit/variable-kinds.ts';

const spec = {
  user: required(text(), ['V_API_USER', 'V_USER'], 'who asks'),
  password: required(secret(), ['V_PASSWORD'], 'what proves it'),
  zone: optional(choice(['eu', 'us']), ['V_ZONE'], 'where'),
  tries: optional(integer(1, 5), ['V_TRIES'], 'how often', 3),
  strict: optional(flag(), ['V_STRICT'], 'how', false),
  scopes: optional(list(), ['V_SCOPES'], 'what for', []),
  url: optional(webUrl(), ['V_URL'], 'where'),
};
const sound = { V_USER: 'ada', V_PASSWORD: 'hunter2hunter2' };

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readEnvironment(env, spec);
  } catch (thrown) {
    if (thrown instanceof EnvironmentProblem) return thrown.problems;
    throw thrown;
  }
  return [];
}

describe('what a server reads from its environment', () => {
  test('either of two names is understood, and what is left out has its default', () => {
    const { settings } = readEnvironment(sound, spec);
    expect(settings).toEqual({
      user: 'ada',
      password: 'hunter2hunter2',
      zone: undefined,
      tries: 3,
      strict: false,
      scopes: [],
      url: undefined,
    });
    expect(readEnvironment({ ...sound, V_API_USER: 'ada' }, spec).settings.user).toBe('ada');
  });

  test('each kind is read as what it is', () => {
    const env = {
      V_ZONE: 'EU',
      V_TRIES: '5',
      V_STRICT: 'yes',
      V_SCOPES: 'a, b  c',
      V_URL: 'https://x.example/y',
    };
    const { settings } = readEnvironment({ ...sound, ...env }, spec);
    expect(settings).toMatchObject({ zone: 'eu', tries: 5, strict: true, scopes: ['a', 'b', 'c'] });
    expect(settings.url?.href).toBe('https://x.example/y');
  });

  test('secrets are named for the redactor, without the line break of a file', () => {
    const { settings, secrets } = readEnvironment({ ...sound, V_PASSWORD: 'hunter2hunter2\n' }, spec);
    expect(settings.password).toBe('hunter2hunter2');
    expect(secrets).toEqual(['hunter2hunter2']);
  });

  test('everything that is wrong is told at once, with what to do', () => {
    expect(problemsOf({ V_TRIES: '9', V_USER: ' ' })).toEqual([
      'V_API_USER (or V_USER) is not set: who asks',
      'V_PASSWORD is not set: what proves it',
      'V_TRIES: write a whole number from 1 to 5 (how often)',
    ]);
  });

  test.each([
    ['two names that differ', { ...sound, V_API_USER: 'eve' }, /V_API_USER and V_USER mean the same/],
    ['a variable that was not filled in', { ...sound, V_PASSWORD: '${PASSWORD}' }, /not filled in/],
    ['a line break in a secret', { ...sound, V_PASSWORD: 'one\r\nX-Evil: two' }, /line break/],
    ['a choice there is not', { ...sound, V_ZONE: 'mars' }, /write one of eu, us/],
    ['half a number', { ...sound, V_TRIES: '2.5' }, /whole number/],
    ['a flag that is none', { ...sound, V_STRICT: 'maybe' }, /true or false/],
    ['a URL in the clear', { ...sound, V_URL: 'http://x.example/' }, /https/],
    ['a URL with a password', { ...sound, V_URL: 'https://a:b@x.example/' }, /without user/],
    ['no URL', { ...sound, V_URL: 'x.example' }, /https:/],
  ])('%s is refused', (_what, env, message) => {
    expect(problemsOf(env).join('\n')).toMatch(message);
  });

  test('no value is ever quoted', () => {
    const env = { ...sound, V_PASSWORD: 'sec\nret', V_TRIES: 's3cret', V_ZONE: 's3cret', V_URL: 's3cret' };
    expect(problemsOf(env).join('\n')).not.toMatch(/s3cret|ret\b/);
  });

  test('plain http is fine on this machine', () => {
    expect(readEnvironment({ ...sound, V_URL: 'http://127.0.0.1:99/' }, spec).settings.url?.port).toBe('99');
  });
});
