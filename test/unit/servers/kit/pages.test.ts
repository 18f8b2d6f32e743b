import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { collectPages, type Page } from '../../../../src/servers/kit/pages.ts';
import { readPageToken, writePageToken } from '../../../../src/servers/kit/page-token.ts';

/** A vendor with `total` items, `size` of them on a page; a cursor is the number of the first. */
const vendor =
  (total: number, size: number) =>
  (cursor: number | undefined): Promise<Page<number, number>> => {
    const from = cursor ?? 0;
    const items = Array.from({ length: Math.min(size, total - from) }, (_, index) => from + index);
    return Promise.resolve({ items, next: from + size < total ? from + size : undefined });
  };

describe('pages', () => {
  test('whatever the sizes are, going on from token to token gives each item once and in order', async () => {
    const sizes = fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 25 }));
    await fc.assert(
      fc.asyncProperty(sizes, async ([total, size, cap]) => {
        const seen: number[] = [];
        let from: { cursor: number | undefined; skip: number } | undefined;
        do {
          const part = await collectPages(vendor(total, size), { cap, from });
          expect(part.items.length).toBeLessThanOrEqual(cap);
          if (part.next) expect(part.items).toHaveLength(cap);
          seen.push(...part.items);
          from = part.next;
        } while (from);
        expect(seen).toEqual(Array.from({ length: total }, (_, index) => index));
      }),
    );
  });

  test('a vendor that sends empty pages for ever is left', async () => {
    let asked = 0;
    const empty = (): Promise<Page<number, number>> => Promise.resolve({ items: [], next: ++asked });
    expect(await collectPages(empty, { cap: 5, maxPages: 7 })).toMatchObject({ pages: 7, items: [] });
    expect(asked).toBe(7);
  });

  test('each page is told', async () => {
    const told: [number, number][] = [];
    await collectPages(vendor(7, 3), { cap: 99, onPage: (...both) => told.push(both) });
    expect(told).toEqual([
      [1, 3],
      [2, 6],
      [3, 7],
    ]);
  });
});

describe('a continuation token', () => {
  test('comes back as it went', () => {
    expect(readPageToken('a', writePageToken('a', { n: 1, s: 'ä' }))).toEqual({ n: 1, s: 'ä' });
  });

  test.each([
    '',
    'x',
    '????',
    writePageToken('b', 1),
    Buffer.from('[1,2,3]').toString('base64url'),
    'A'.repeat(20_000),
  ])('of another tool, or made up, is refused', (token) => {
    expect(() => readPageToken('a', token)).toThrow(/not a token of this tool/);
  });
});
