import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoff, jittered } from '../../../src/time/backoff.ts';

const base = 1000;
const max = 60_000;
const luck = { least: () => 0, most: () => 1 };
/** As `Math.random` gives it: never quite 1. */
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('waiting longer and longer', () => {
  test('the first failure costs nothing', () => {
    expect([0, 1].map((failures) => backoff(failures, base, max, luck.most))).toEqual([0, 0]);
  });

  test('then the wait doubles', () => {
    expect([2, 3, 4, 5].map((failures) => backoff(failures, base, max, luck.most))).toEqual([
      1000, 2000, 4000, 8000,
    ]);
  });

  test('up to a bound, and never beyond what can be counted', () => {
    for (const failures of [8, 100, 5000]) expect(backoff(failures, base, max, luck.most)).toBe(max);
  });

  test('chance takes away up to half of it', () => {
    expect(backoff(3, base, max, luck.least)).toBe(1000);
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 100 }), chance, (failures, random) => {
        const wait = backoff(failures, base, max, () => random);
        const full = backoff(failures, base, max, luck.most);
        expect(wait).toBeGreaterThanOrEqual(full / 2);
        expect(wait).toBeLessThanOrEqual(full);
      }),
    );
  });

  test('many do not come at once', () => {
    expect(new Set(Array.from({ length: 10 }, () => backoff(5, base, max))).size).toBeGreaterThan(1);
  });
});

test('jitter gives or takes up to its share', () => {
  expect([0, 0.5, 1].map((random) => jittered(1000, 0.2, () => random))).toEqual([800, 1000, 1200]);
  expect(jittered(1000, 0, luck.most)).toBe(1000);
});
