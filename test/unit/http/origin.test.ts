import { describe, expect, test } from 'vitest';
import { ProxyError } from '../../../src/calls/error.ts';
import { type AllowedNames, createOriginCheck } from '../../../src/http/origin.ts';
import { requestWith } from './serving.ts';

/** `passes`, or the code of the refusal. */
function verdict(headers: Record<string, string>, own: Partial<AllowedNames> = {}): string {
  const check = createOriginCheck({ host: '127.0.0.1', allowedHosts: [], allowedOrigins: [], ...own });
  try {
    check(requestWith(headers));
    return 'passes';
  } catch (thrown) {
    return thrown instanceof ProxyError ? thrown.code : String(thrown);
  }
}

describe('on a loopback address', () => {
  test.each(['localhost', 'localhost:8080', '127.0.0.1:8080', '[::1]', '[::1]:8080', 'LocalHost:1'])(
    'Host %s is this machine',
    (host) => {
      for (const address of ['127.0.0.1', '::1', 'localhost'])
        expect(verdict({ host }, { host: address })).toBe('passes');
    },
  );

  test.each([
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example:localhost',
    'localhost:8080:1',
    'localhost@evil.example',
    '[::1].evil.example',
    '',
  ])('Host "%s" is a name somebody else chose', (host) => {
    expect(verdict({ host })).toBe('FORBIDDEN');
  });

  test('no Host at all is refused', () => {
    expect(verdict({})).toBe('FORBIDDEN');
  });

  test.each([
    'http://localhost',
    'http://localhost:3000',
    'https://127.0.0.1:1',
    'http://[::1]:3000',
    'HTTP://LOCALHOST',
  ])('a page from %s may call', (origin) => {
    expect(verdict({ host: 'localhost', origin })).toBe('passes');
  });

  test.each([
    'http://evil.example',
    'http://localhost.evil.example',
    'http://localhost@evil.example',
    'http://evil.example/localhost',
    'http://evil.example#localhost',
    'localhost',
    'null',
    '',
  ])('a page from "%s" may not', (origin) => {
    expect(verdict({ host: 'localhost', origin })).toBe('FORBIDDEN');
  });

  test('who is no browser sends no Origin', () => {
    expect(verdict({ host: 'localhost' })).toBe('passes');
  });

  test('the operator may add names, in any case, and the usual ones stay', () => {
    const own = { allowedHosts: ['MCP.example'], allowedOrigins: ['https://App.example'] };
    expect(verdict({ host: 'mcp.example:443', origin: 'https://app.example' }, own)).toBe('passes');
    expect(verdict({ host: 'localhost', origin: 'http://localhost' }, own)).toBe('passes');
    expect(verdict({ host: 'mcp.example', origin: 'http://app.example' }, own)).toBe('FORBIDDEN');
    expect(verdict({ host: 'mcp.example', origin: 'https://app.example:8443' }, own)).toBe('FORBIDDEN');
  });
});

describe('on a public address', () => {
  const host = '0.0.0.0';

  test('any Host will do, unless the operator names some', () => {
    expect(verdict({ host: 'whatever.example' }, { host })).toBe('passes');
    const own = { host, allowedHosts: ['mcp.example'] };
    expect(verdict({ host: 'mcp.example' }, own)).toBe('passes');
    expect(verdict({ host: 'whatever.example' }, own)).toBe('FORBIDDEN');
    expect(verdict({ host: 'localhost' }, own)).toBe('FORBIDDEN');
  });

  test('a page may call only if the operator says so, and localhost is the visitor’s own', () => {
    expect(verdict({ host: 'x', origin: 'http://localhost:3000' }, { host })).toBe('FORBIDDEN');
    expect(verdict({ host: 'x', origin: 'https://app.example' }, { host })).toBe('FORBIDDEN');
    const own = { host, allowedOrigins: ['https://app.example'] };
    expect(verdict({ host: 'x', origin: 'https://app.example' }, own)).toBe('passes');
  });
});

test('a refusal says which setting it is about, and repeats nothing', () => {
  const check = createOriginCheck({ host: '127.0.0.1', allowedHosts: [], allowedOrigins: [] });
  expect(() => check(requestWith({ host: '<script>' }))).toThrow(/^(?!.*script).*listen\.allowedHosts/);
  expect(() => check(requestWith({ host: 'localhost', origin: '<script>' }))).toThrow(
    /^(?!.*script).*listen\.allowedOrigins/,
  );
});
