import { describe, expect, test } from 'vitest';
import { readDestination } from '../../../../../src/workers/sandbox/egress/destination.ts';
import { sandboxSettings } from '../../../../../src/workers/sandbox/settings.ts';

describe('a destination', () => {
  test.each([
    ['api.example.com', 'api.example.com', 443],
    ['db.internal:5432', 'db.internal', 5432],
    ['API.Example.COM.:8443', 'api.example.com', 8443],
    ['localhost:1', 'localhost', 1],
    ['xn--bcher-kva.example:65535', 'xn--bcher-kva.example', 65_535],
    ['my_db', 'my_db', 443],
    ['1and1.com', '1and1.com', 443],
    ['add.face', 'add.face', 443],
  ])('%s', (text, host, port) => {
    expect(readDestination(text)).toEqual({ host, port });
  });

  test.each([
    ...[
      '192.0.2.7',
      '192.0.2.7:443',
      '::1',
      '[::1]:443',
      '[2001:db8::1]',
      '2001:db8::1',
      '10.0.0.0/8',
      '2130706433',
    ],
    ...[
      '127.1',
      '127.1:80',
      '0x7f.1',
      '0x7f000001',
      '1.2.3.4.',
      'a.b.017',
      '::ffff:127.0.0.1',
      '[::ffff:127.0.0.1]:80',
    ],
  ])('%s is an address, and a name is asked for', (text) => {
    expect(readDestination(text)).toMatch(/^write a name, not an address/);
  });

  test.each<[unknown, RegExp]>([
    ['https://api.example.com/v1', /without "https:\/\/"/],
    ['*.example.com', /no wildcards/],
    ['example.com:*', /no wildcards/],
    ['.example.com', /no domains that stand for all hosts/],
    ['example.com/v1', /cannot be listed/],
    ['me@example.com', /without a user/],
    ['a.example.com, b.example.com', /one host in each entry/],
    ['a.example.com b', /one host in each entry/],
    ...[
      'example.com:0',
      'example.com:65536',
      'example.com:',
      'example.com:80-90',
      'example.com:http',
      'x:1:2',
    ].map((text): [unknown, RegExp] => [text, /one port from 1 to 65535/]),
    ...[
      '',
      'a..b',
      '-a.example',
      'a-.example',
      'bücher.example',
      `${'a'.repeat(64)}.example`,
      'a;b',
      'a\n',
      ':443',
    ].map((text): [unknown, RegExp] => [text, /write the name of a host|one host in each entry/]),
    [5432, /in quotes/],
    [null, /in quotes/],
  ])('%s is none, and what to write is said', (text, advice) => {
    expect(readDestination(text)).toMatch(advice);
  });
});

describe('sandbox.network', () => {
  const read = (network: unknown) => sandboxSettings.safeParse({ network });

  test('is shared unless it says otherwise', () => {
    expect(sandboxSettings.parse({}).network).toBe('shared');
    expect(read('none').data?.network).toBe('none');
  });

  test('has each destination once', () => {
    const { data } = read({ allow: ['b.example', 'B.example:443', 'b.example:80', 'a.example'] });
    expect(data?.network).toEqual({
      allow: [
        { host: 'b.example', port: 443 },
        { host: 'b.example', port: 80 },
        { host: 'a.example', port: 443 },
      ],
    });
  });

  test.each([
    ['open', [], /write shared, none, or \{ allow/],
    [null, [], /write shared, none, or \{ allow/],
    [['a.example'], [], /write shared, none, or \{ allow/],
    [{ allow: 'a.example' }, [], /write shared, none, or \{ allow/],
    [{ allow: ['a.example'], deny: [] }, [], /write shared, none, or \{ allow/],
    [{ allow: [] }, ['allow'], /write none/],
    [{ allow: ['a.example', '10.0.0.1'] }, ['allow', 1], /not an address/],
    [{ allow: Array.from({ length: 65 }, (_, n) => `h${n}.example`) }, ['allow'], /64 hosts/],
  ])('%j is refused at its place, with what to write', (network, at, advice) => {
    const [issue] = read(network).error?.issues ?? [];
    expect(issue?.path).toEqual(['network', ...at]);
    expect(issue?.message).toMatch(advice);
  });
});
