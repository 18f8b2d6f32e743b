import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { createKeyRing, type KeyHolder, type KeyRing } from '../../../src/auth/key-ring.ts';
import { type Principal } from '../../../src/auth/principal.ts';
import { ProxyError } from '../../../src/calls/error.ts';
import { type TenantId } from '../../../src/calls/ids.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';

const digestOf = (key: string) => createHash('sha256').update(key).digest('hex');
const holder = (id: string, keys: Record<string, string>, more: Partial<KeyHolder> = {}): KeyHolder => ({
  id: id as TenantId,
  enabled: true,
  allowFrom: undefined,
  keys: Object.entries(keys).map(([name, key]) => ({ name, sha256: digestOf(key) })),
  ...more,
});

let clock: FakeClock;
let ring: KeyRing;
beforeEach(() => {
  clock = createFakeClock();
  ring = createKeyRing(clock);
});
const add = (...added: readonly KeyHolder[]) => ring.apply({ added, changed: [], removed: [] });
const change = (before: KeyHolder, after: KeyHolder) =>
  ring.apply({ added: [], changed: [{ before, after }], removed: [] });
const by = (authorization?: string, apiKey?: string, remote = '192.0.2.1'): Principal =>
  ring.authenticate({ authorization, apiKey, remote });
const byKey = (key: string) => by(undefined, key);
/** The words of the refusal; fails if there is none. */
function refusalOf(authorization?: string, apiKey?: string): string {
  try {
    by(authorization, apiKey);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ProxyError);
    expect((thrown as ProxyError).code).toBe('UNAUTHENTICATED');
    return (thrown as ProxyError).message;
  }
  throw new Error('It was let in');
}

const acme = holder('acme', { laptop: 'key-of-acme', phone: 'second-of-acme' });
const globex = holder('globex', { laptop: 'key-of-globex' });

describe('a key names its tenant', () => {
  beforeEach(() => add(acme, globex));

  test.each([
    ['Bearer key-of-acme', undefined],
    ['bearer key-of-acme', undefined],
    ['BEARER   key-of-acme  ', undefined],
    [undefined, 'key-of-acme'],
    ['Bearer key-of-acme', 'key-of-acme'],
  ])('Authorization: %j, X-API-Key: %j', (authorization, apiKey) => {
    expect(by(authorization, apiKey)).toEqual({ tenantId: 'acme', keyName: 'laptop' });
  });

  test('each key its own', () => {
    expect(byKey('second-of-acme')).toEqual({ tenantId: 'acme', keyName: 'phone' });
    expect(byKey('key-of-globex')).toEqual({ tenantId: 'globex', keyName: 'laptop' });
  });

  test('who asks cannot be changed by who is told', () => {
    const principal = byKey('key-of-acme');
    expect(() => Object.assign(principal, { tenantId: 'globex' })).toThrow(TypeError);
  });
});

describe('whoever is refused hears the same words', () => {
  beforeEach(() => {
    const expired = [{ name: 'old', sha256: digestOf('expired-key'), expires: '2020-01-01' }];
    add(acme, globex, holder('off', { laptop: 'key-of-off' }, { enabled: false }));
    add(holder('late', {}, { keys: expired }));
  });

  test.each<[string, string | undefined, string | undefined]>([
    ['no key', undefined, undefined],
    ['an unknown key', undefined, 'nobody-has-this'],
    ['an empty key', undefined, ''],
    ['an empty bearer', 'Bearer ', undefined],
    ['another scheme before it', 'Basic bearer key-of-acme', undefined],
    ['no scheme', 'key-of-acme', undefined],
    ['another scheme', 'Basic key-of-acme', undefined],
    ['two words', 'Bearer key-of-acme more', undefined],
    ['two tenants at once', 'Bearer key-of-acme', 'key-of-globex'],
    ['two keys of one tenant', 'Bearer key-of-acme', 'second-of-acme'],
    ['a good key beside a bad scheme', 'Basic abc', 'key-of-acme'],
    ['a good key beside an empty one', 'Bearer key-of-acme', ''],
    ['the digest for the key', undefined, digestOf('key-of-acme')],
    ['another case', undefined, 'KEY-OF-ACME'],
    ['a blank at the end', undefined, 'key-of-acme '],
    ['a key of a tenant that is off', undefined, 'key-of-off'],
    ['an expired key', undefined, 'expired-key'],
    ['a very long key', undefined, 'x'.repeat(513)],
    ['a very long header', `Bearer ${'x'.repeat(100_000)}`, undefined],
  ])('%s', (_what, authorization, apiKey) => {
    expect(refusalOf(authorization, apiKey)).toBe(refusalOf(undefined, 'somebody-else'));
  });

  test('and waits as long for them, so that a clock does not tell a key that was good from a guess', () => {
    const kinds = ['key-of-off', 'expired-key', 'nobody-has-this'];
    const spent = kinds.map((): number[] => []);
    const attempt = (key: string) => {
      try {
        byKey(key);
      } catch (thrown) {
        return thrown;
      }
      throw new Error('It was let in');
    };
    // In turns, so that whatever else the machine does falls on all of them.
    for (let round = 0; round < 300; round++)
      for (const [at, key] of kinds.entries()) {
        const startedAt = performance.now();
        for (let nth = 0; nth < 20; nth++) attempt(key);
        spent[at]!.push(performance.now() - startedAt);
      }
    const medians = spent.map((each) => each.toSorted((a, b) => a - b)[150]!);
    expect(Math.max(...medians) / Math.min(...medians)).toBeLessThan(1.5);
  });

  test('and they say what to do, and nothing about anybody', () => {
    const words = refusalOf(undefined, 'key-of-off');
    expect(words).toMatch(/Authorization: Bearer <key>.*X-API-Key.*proxy key create/);
    expect(words).not.toMatch(/off|acme|globex|expired|disabled/);
  });
});

test('nobody is let in by an empty ring, nor by the digest the stranger is compared with', () => {
  refusalOf();
  refusalOf(undefined, '');
  add(holder('zero', {}, { keys: [{ name: 'zero', sha256: '0'.repeat(64) }] }));
  refusalOf();
  refusalOf(undefined, '');
});

test('a tenant that holds the digest of nothing does not let in who sends nothing', () => {
  add(holder('empty', { nothing: '' }));
  refusalOf();
  refusalOf(undefined, '');
  refusalOf('Bearer ');
});

describe('a key that expires', () => {
  const at = Date.UTC(2026, 0, 1, 12);
  const expiring = (expires: string) =>
    holder('acme', {}, { keys: [{ name: 'k', sha256: digestOf('expiring'), expires }] });

  test('is good up to the moment and refused from then on', () => {
    add(expiring(new Date(at).toISOString()));
    clock.advance(at - clock.wall() - 1);
    expect(byKey('expiring').tenantId).toBe('acme');
    clock.advance(1);
    expect(clock.wall()).toBe(at);
    refusalOf(undefined, 'expiring');
    clock.advance(1);
    refusalOf(undefined, 'expiring');
  });

  test('a date alone is its beginning, in UTC', () => {
    add(expiring('2026-01-02'));
    clock.advance(24 * 3_600_000 - 1);
    expect(clock.wall()).toBe(Date.UTC(2026, 0, 2) - 1);
    expect(byKey('expiring').tenantId).toBe('acme');
    clock.advance(1);
    refusalOf(undefined, 'expiring');
  });

  test('a text that is no date lets nobody in', () => {
    add(expiring('soon'));
    refusalOf(undefined, 'expiring');
  });
});

describe('a change', () => {
  beforeEach(() => add(acme, globex));

  test('revokes a key and leaves the others', () => {
    change(acme, holder('acme', { phone: 'second-of-acme' }));
    refusalOf(undefined, 'key-of-acme');
    expect(byKey('second-of-acme').keyName).toBe('phone');
    expect(ring.size).toBe(2);
  });

  test('two keys at once while one is rotated', () => {
    const both = holder('acme', { laptop: 'key-of-acme', next: 'next-of-acme', phone: 'second-of-acme' });
    change(acme, both);
    expect(byKey('key-of-acme').keyName).toBe('laptop');
    expect(byKey('next-of-acme').keyName).toBe('next');
  });

  test('disables and enables', () => {
    const off = { ...acme, enabled: false };
    change(acme, off);
    refusalOf(undefined, 'key-of-acme');
    expect(ring.size).toBe(3);
    change(off, acme);
    expect(byKey('key-of-acme').tenantId).toBe('acme');
  });

  test('takes a whole tenant away', () => {
    ring.apply({ added: [], changed: [], removed: [acme] });
    refusalOf(undefined, 'key-of-acme');
    refusalOf(undefined, 'second-of-acme');
    expect(byKey('key-of-globex').tenantId).toBe('globex');
    expect(ring.size).toBe(1);
  });

  test('moves a key from one tenant to another in one step, whatever their order', () => {
    const without = holder('acme', { phone: 'second-of-acme' });
    const withIt = holder('globex', { laptop: 'key-of-globex', moved: 'key-of-acme' });
    const changed = [
      { before: globex, after: withIt },
      { before: acme, after: without },
    ];
    ring.apply({ added: [], changed, removed: [] });
    expect(byKey('key-of-acme')).toEqual({ tenantId: 'globex', keyName: 'moved' });
    ring.apply({
      added: [],
      changed: changed.map(({ before, after }) => ({ before: after, after: before })),
      removed: [],
    });
    expect(byKey('key-of-acme')).toEqual({ tenantId: 'acme', keyName: 'laptop' });
    expect(ring.size).toBe(3);
  });

  test('swaps the keys of two tenants', () => {
    ring.apply({
      added: [],
      changed: [
        { before: acme, after: holder('acme', { laptop: 'key-of-globex' }) },
        { before: globex, after: holder('globex', { laptop: 'key-of-acme' }) },
      ],
      removed: [],
    });
    expect(byKey('key-of-acme').tenantId).toBe('globex');
    expect(byKey('key-of-globex').tenantId).toBe('acme');
  });

  test('a key of a tenant that leaves goes to one that comes', () => {
    const heir = holder('heir', { laptop: 'key-of-acme' });
    ring.apply({ added: [heir], changed: [], removed: [acme] });
    expect(byKey('key-of-acme').tenantId).toBe('heir');
    expect(ring.size).toBe(2);
  });

  test('a tenant that leaves takes nobody else along', () => {
    const heir = holder('heir', { laptop: 'key-of-acme' });
    add(heir);
    ring.apply({ added: [], changed: [], removed: [acme] });
    expect(byKey('key-of-acme').tenantId).toBe('heir');
  });
});

test('a hundred thousand keys: each finds its own', () => {
  const tenants = Array.from({ length: 1000 }, (_, index) =>
    holder(
      `t${index}`,
      Object.fromEntries(Array.from({ length: 100 }, (_none, at) => [`k${at}`, `key-${index}-${at}`])),
    ),
  );
  add(...tenants);
  expect(ring.size).toBe(100_000);
  expect(byKey('key-0-0')).toEqual({ tenantId: 't0', keyName: 'k0' });
  expect(byKey('key-777-42')).toEqual({ tenantId: 't777', keyName: 'k42' });
  ring.apply({ added: [], changed: [], removed: [tenants[0]!] });
  expect(ring.size).toBe(99_900);
  refusalOf(undefined, 'key-0-0');
  refusalOf(undefined, 'key-1000-0');
});

test('a key is worth something from the addresses of its tenant only, and elsewhere the words are those for none', () => {
  const allowFrom = { has: (address: string) => address === '192.0.2.1' };
  add(holder('acme', { laptop: 'near' }, { allowFrom }), holder('globex', { laptop: 'far' }));
  expect(by('Bearer near').tenantId).toBe('acme');
  expect(() => by('Bearer near', undefined, '198.51.100.7')).toThrow(refusalOf('Bearer unknown'));
  expect(() => by('Bearer near', undefined, '')).toThrow(refusalOf('Bearer unknown'));
  expect(by('Bearer far', undefined, '198.51.100.7').tenantId).toBe('globex');
});

test('a key is of 512 letters at most', () => {
  const [longest, tooLong] = ['x'.repeat(512), 'x'.repeat(513)];
  add(holder('acme', { longest, tooLong }));
  expect(byKey(longest).keyName).toBe('longest');
  expect(refusalOf(undefined, tooLong)).toBe(refusalOf(undefined, 'unknown'));
});

test('a key that stands twice goes with the tenant all the same', () => {
  const twice = holder('acme', { laptop: 'key-of-acme', phone: 'key-of-acme' });
  add(twice);
  ring.apply({ added: [], changed: [], removed: [twice] });
  expect(ring.size).toBe(0);
});
