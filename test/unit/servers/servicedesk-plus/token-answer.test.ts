import { describe, expect, test } from 'vitest';
import { allScopes, holdsOneOf } from '../../../../src/servers/servicedesk-plus/oauth/scopes.ts';
import { readTokenAnswer } from '../../../../src/servers/servicedesk-plus/oauth/token-answer.ts';

describe('an answer of the accounts server', () => {
  const read = (body: object, status = 200) => readTokenAnswer(status, JSON.stringify(body));

  test('is a token if there is one in it, whatever the status', () => {
    const body = {
      access_token: '1000.a',
      expires_in: 3600,
      token_type: 'Bearer',
      scope: 'SDPOnDemand.requests.ALL,x y',
    };
    const token = {
      kind: 'token',
      text: '1000.a',
      lifetimeMs: 3_600_000,
      scopes: ['SDPOnDemand.requests.ALL', 'x', 'y'],
    };
    expect(read(body)).toEqual(token);
    expect(read({ access_token: 'a', expires_in: 3_600_000, expires_in_sec: 3600 })).toMatchObject({
      lifetimeMs: 3_600_000,
    });
    expect(read({ access_token: 'a' })).toMatchObject({ lifetimeMs: 3_600_000, scopes: undefined });
    expect(read({ access_token: 'a', expires_in: -1 })).toMatchObject({ lifetimeMs: 3_600_000 });
  });

  test.each(['invalid_code', 'invalid_client', 'invalid_client_secret', 'unauthorized_client'])(
    '%s is for good',
    (error) => {
      expect(read({ error })).toEqual({ kind: 'refused', error });
    },
  );

  test.each([200, 400, 429])('too many requests are known by their words, with %i', (status) => {
    const body = {
      error: 'Access Denied',
      error_description: 'You have made too many requests continuously.',
      status: 'failure',
    };
    expect(read(body, status)).toEqual({ kind: 'throttled' });
  });

  test.each([
    '',
    '<html></html>',
    '[]',
    '"x"',
    'null',
    '{}',
    '{"access_token":""}',
    '{"access_token":7}',
    '{"error":"server_error"}',
  ])('%s brings no token and may pass', (text) => {
    expect(readTokenAnswer(200, text)).toMatchObject({ kind: 'failed' });
  });
});

describe('scopes', () => {
  test('are those of the founding document, five operations on each of nine modules', () => {
    expect(allScopes.size).toBe(45);
    for (const module of [
      'requests',
      'problems',
      'changes',
      'projects',
      'assets',
      'cmdb',
      'solutions',
      'setup',
      'users',
    ])
      for (const operation of ['ALL', 'READ', 'CREATE', 'UPDATE', 'DELETE'])
        expect(allScopes).toContain(`SDPOnDemand.${module}.${operation}`);
  });

  test('ALL holds every operation of its module and of no other', () => {
    expect(holdsOneOf(['SDPOnDemand.requests.ALL'], ['SDPOnDemand.requests.DELETE'])).toBe(true);
    expect(holdsOneOf(['SDPOnDemand.requests.ALL'], ['SDPOnDemand.problems.READ'])).toBe(false);
    expect(holdsOneOf(['SDPOnDemand.requests.READ'], ['SDPOnDemand.requests.UPDATE'])).toBe(false);
    expect(holdsOneOf([], ['SDPOnDemand.requests.READ'])).toBe(false);
  });
});
