import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { keyEntry } from '../../../src/auth/api-key.ts';
import { createKey } from '../../../src/auth/new-key.ts';

test('a key can be told from other texts, has an id of its own and 256 bits of secret', () => {
  expect(createKey().key).toMatch(/^mcpx_[0-9a-f]{12}_[0-9a-f]{64}$/);
});

test('what is kept is the SHA-256 of the whole key, and fits into a tenant file', () => {
  const { key, sha256 } = createKey();
  expect(sha256).toBe(createHash('sha256').update(key).digest('hex'));
  expect(keyEntry.parse({ name: 'laptop', sha256 })).toEqual({ name: 'laptop', sha256 });
  expect(sha256).not.toContain(key.slice(-64));
});

test('no two keys are alike in any part', () => {
  const keys = Array.from({ length: 1000 }, createKey);
  for (const part of [0, 1]) {
    const parts = keys.map(({ key }) => key.split('_')[part + 1]);
    expect(new Set(parts).size).toBe(keys.length);
  }
  // Every one of the 256 bits is both 0 and 1 in some key: none of them stands still.
  const seen = { zero: Buffer.alloc(32), one: Buffer.alloc(32) };
  for (const { key } of keys) {
    const secret = Buffer.from(key.slice(-64), 'hex');
    for (let at = 0; at < 32; at++) {
      seen.one[at] = seen.one[at]! | secret[at]!;
      seen.zero[at] = seen.zero[at]! | (~secret[at]! & 255);
    }
  }
  expect(seen.one.equals(Buffer.alloc(32, 255))).toBe(true);
  expect(seen.zero.equals(Buffer.alloc(32, 255))).toBe(true);
});
