import { beforeEach, describe, expect, test } from 'vitest';
import { type Principal } from '../../../src/auth/principal.ts';
import { limitTries } from '../../../src/auth/tries.ts';
import { ProxyError } from '../../../src/calls/error.ts';
import { type TenantId } from '../../../src/calls/ids.ts';
import { type ProxyEvent } from '../../../src/events/events.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';

const ada: Principal = { tenantId: 'acme' as TenantId, keyName: 'ada' };
const perMinute = 6;

let clock: FakeClock;
let limited: ProxyEvent[];
let attempt: (apiKey: string, remote?: string) => string;
let waitMs: number | undefined;

beforeEach(() => {
  clock = createFakeClock();
  limited = [];
  const authenticate = limitTries(
    ({ apiKey }) => {
      if (apiKey === 'right') return ada;
      throw new ProxyError('UNAUTHENTICATED', 'no');
    },
    perMinute,
    (event) => limited.push(event),
    clock,
  );
  attempt = (apiKey, remote = '192.0.2.1') => {
    try {
      return authenticate({ authorization: undefined, apiKey, remote }).keyName;
    } catch (thrown) {
      const error = ProxyError.from(thrown);
      waitMs = error.retryAfterMs;
      return error.code;
    }
  };
});

/** What each of so many tries of wrong keys came to. */
const wrong = (count: number, remote?: string) =>
  Array.from({ length: count }, () => attempt('wrong', remote));
const refused = (count: number) => Array<string>(count).fill('UNAUTHENTICATED');

describe('an address that shows wrong keys', () => {
  test('is told to wait once it has shown more than it may', () => {
    expect(wrong(perMinute)).toEqual(refused(perMinute));
    expect(limited).toEqual([]);
    expect(wrong(3)).toEqual(['RATE_LIMITED', 'RATE_LIMITED', 'RATE_LIMITED']);
    expect(limited).toEqual([{ type: 'auth.limited', remote: '192.0.2.1' }]);
  });

  test('may go on after the time it was told, and not before', () => {
    wrong(perMinute + 10);
    const told = waitMs!;
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThanOrEqual((2 * 60_000) / perMinute);
    clock.advance(told - 1);
    // A try that comes too early is one more.
    expect(wrong(1)).toEqual(['RATE_LIMITED']);
    clock.advance(waitMs!);
    expect(wrong(1)).toEqual(['UNAUTHENTICATED']);
  });

  test('has all its tries again after a quiet minute or two, and is told of again', () => {
    wrong(perMinute + 1);
    clock.advance(120_000);
    expect(wrong(perMinute + 1)).toEqual([...refused(perMinute), 'RATE_LIMITED']);
    expect(limited).toHaveLength(2);
  });

  test('is let in with a valid key at any time', () => {
    wrong(perMinute + 10);
    expect(attempt('right')).toBe('ada');
  });

  test('is remembered while others come', () => {
    wrong(perMinute);
    expect(wrong(1, '192.0.2.2')).toEqual(['UNAUTHENTICATED']);
    expect(wrong(1)).toEqual(['RATE_LIMITED']);
  });

  test('does not cost another address its tries', () => {
    wrong(perMinute + 10);
    expect(wrong(1, '192.0.2.2')).toEqual(['UNAUTHENTICATED']);
  });
});

describe('addresses of one place', () => {
  test.each([
    ['2001:db8:0:1::1', '2001:db8:0:1:ffff::2'],
    ['2001:db8::', '2001:db8:0:0:1:2:3:4'],
    ['::1', '::2'],
    ['2001:db8::1:0:0:0:1', '2001:db8:0:1::1'],
    ['::1', '0:0:0:0:0:0:0:2'],
    ['2001:db8::', '2001:db8:0:0:0:0:0:1'],
    [`${'x'.repeat(64)}1`, `${'x'.repeat(64)}2`],
  ])('%s and %s have their tries together', (one, other) => {
    wrong(perMinute, one);
    expect(wrong(1, other)).toEqual(['RATE_LIMITED']);
  });

  test.each([
    ['2001:db8:0:1::1', '2001:db8:0:2::1'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2'],
    ['2001:db8:1:23::1', '2001:db8:12:3::1'],
  ])('%s and %s do not', (one, other) => {
    wrong(perMinute, one);
    expect(wrong(1, other)).toEqual(['UNAUTHENTICATED']);
  });
});

test('of addresses without number the first to come are forgotten', () => {
  wrong(perMinute, '192.0.2.1');
  for (let nth = 0; nth < 10_000; nth++) attempt('wrong', `10.${nth >> 16}.${(nth >> 8) & 255}.${nth & 255}`);
  expect(wrong(1, '192.0.2.1')).toEqual(['UNAUTHENTICATED']);
});
