import { expect, test } from 'vitest';
import { keyEntry } from '../../../src/auth/api-key.ts';

const sha256 = 'aB'.repeat(32);
const accepts = (entry: object) => keyEntry.safeParse({ name: 'laptop', sha256, ...entry }).success;

test('the digest is kept in lower case, so that one key has one spelling', () => {
  expect(keyEntry.parse({ name: 'laptop', sha256 }).sha256).toBe('ab'.repeat(32));
});

test.each(['', 'ab', 'x'.repeat(64), 'ab'.repeat(33), ` ${'ab'.repeat(32)}`, `${'ab'.repeat(32)}\n`])(
  'the digest %j is none',
  (text) => {
    expect(accepts({ sha256: text })).toBe(false);
  },
);

test.each(['2027-01-31', '2027-01-31T12:00:00Z', '2027-01-31T12:00:00+02:00'])('expires: %s', (expires) => {
  expect(accepts({ expires })).toBe(true);
});

test.each(['soon', '', '2027-13-01', '31.01.2027'])('expires: %j is no date', (expires) => {
  expect(accepts({ expires })).toBe(false);
});

test('a name is there, short, and no other key beside those known', () => {
  expect(accepts({ name: '' })).toBe(false);
  expect(accepts({ name: 'x'.repeat(63) })).toBe(true);
  expect(accepts({ name: 'x'.repeat(64) })).toBe(false);
  expect(accepts({ key: 'mcpx_' })).toBe(false);
});
