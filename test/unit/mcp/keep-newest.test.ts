import { expect, test } from 'vitest';
import { keepNewest } from '../../../src/mcp/keep-newest.ts';

test('of more than so many the oldest goes, and what is put in again is the newest', () => {
  const map = new Map<string, number>();
  for (const [at, key] of ['a', 'b', 'a', 'c', 'd'].entries()) keepNewest(map, key, at, 3);
  expect([...map]).toEqual([
    ['a', 2],
    ['c', 3],
    ['d', 4],
  ]);
});
