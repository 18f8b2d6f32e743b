import { describe, expect, test } from 'vitest';
import type { Era } from '../../../src/mcp/versions.ts';
import { createServerEras, type EraVerdict } from '../../../src/workers/server-eras.ts';

const yes = true;
const no = false;
const unknown = undefined;
const verdict = (legacy: boolean | undefined, modern: boolean | undefined): EraVerdict => ({
  legacy,
  modern,
});

function erasWith(known: EraVerdict, fixed?: Era) {
  const saved: EraVerdict[] = [];
  const eras = createServerEras(fixed, known, (each) => saved.push(each));
  return {
    saved,
    workerEra: (client: Era) => eras.workerEra(client),
    learned: (era: Era, speaks: boolean) => eras.learned(era, speaks),
    stumbled: (era: Era) => eras.stumbled(era),
    unanswered: (ms: number) => eras.unanswered(ms),
    startedIn: (ms: number) => eras.startedIn(ms),
    patience: () => eras.patienceMs,
  };
}

describe('the era of a worker', () => {
  test.each([
    // legacy, modern, for a legacy client, for a modern one
    [unknown, unknown, 'legacy', undefined],
    [unknown, yes, 'legacy', 'modern'],
    [unknown, no, 'legacy', 'legacy'],
    [yes, unknown, 'legacy', undefined],
    [yes, yes, 'legacy', 'modern'],
    [yes, no, 'legacy', 'legacy'],
    [no, unknown, 'modern', 'modern'],
    [no, yes, 'modern', 'modern'],
    [no, no, 'legacy', 'legacy'],
  ])(
    'of a server that speaks legacy %s and modern %s: for a legacy client %s, for a modern one %s',
    (...row) => {
      const [legacy, modern, forLegacy, forModern] = row;
      const { workerEra } = erasWith(verdict(legacy, modern));
      expect([workerEra('legacy'), workerEra('modern')]).toEqual([forLegacy, forModern]);
    },
  );

  test.each(['legacy', 'modern'] as const)(
    'is %s if the tenant’s file says so, whatever was found',
    (fixed) => {
      const { workerEra, learned, saved } = erasWith(verdict(no, no), fixed);
      expect([workerEra('legacy'), workerEra('modern')]).toEqual([fixed, fixed]);
      expect([learned(fixed, false), learned(fixed, true), saved]).toEqual([false, false, []]);
    },
  );
});

describe('what is learned', () => {
  test('is kept, once', () => {
    const { learned, saved, workerEra } = erasWith(verdict(unknown, unknown));
    expect(workerEra('modern')).toBeUndefined();
    learned('modern', true);
    learned('modern', true);
    expect(workerEra('modern')).toBe('modern');
    learned('legacy', false);
    expect(saved).toEqual([verdict(unknown, yes), verdict(no, yes)]);
    expect(workerEra('legacy')).toBe('modern');
  });

  test('replaces what was known: the server may be another by now', () => {
    const { learned, workerEra } = erasWith(verdict(yes, no));
    learned('modern', true);
    expect(workerEra('modern')).toBe('modern');
  });

  test.each([
    ['legacy', verdict(yes, no)],
    ['modern', verdict(no, yes)],
  ] as const)('that the server refuses the %s era by now says that it is another', (era, known) => {
    const other = era === 'legacy' ? 'modern' : 'legacy';
    const { learned, workerEra } = erasWith(known);
    expect(learned(era, false)).toBe(true);
    expect([workerEra('legacy'), workerEra('modern')]).toEqual([other, other]);
    expect([learned(other, false), learned(era, false)]).toEqual([false, false]);
  });

  test.each([
    ['legacy', false, unknown, true],
    ['legacy', false, yes, true],
    ['legacy', false, no, false],
    ['legacy', true, unknown, false],
    ['modern', false, unknown, true],
    ['modern', false, yes, true],
    ['modern', false, no, false],
    ['modern', true, yes, false],
  ] as const)(
    '%s: %s, while the other is %s: the other is worth a try: %s',
    (era, speaks, other, isWorth) => {
      const { learned } = erasWith(era === 'legacy' ? verdict(unknown, other) : verdict(other, unknown));
      expect(learned(era, speaks)).toBe(isWorth);
    },
  );

  test('comes to an end: a server that refuses both is not tried for ever', () => {
    const { learned } = erasWith(verdict(unknown, unknown));
    expect([learned('legacy', false), learned('modern', false), learned('legacy', false)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('what a tenant’s own processes have not shown', () => {
  test('is not kept for others: who says no to one tenant may mean its credentials', () => {
    const { learned, saved } = erasWith(verdict(unknown, unknown));
    learned('legacy', false);
    learned('modern', false);
    expect(saved).toEqual([]);
    learned('legacy', true);
    expect(saved).toEqual([verdict(yes, no)]);
  });

  test('is doubted when a process comes to nothing by it, and the other era is tried', () => {
    const { learned, stumbled, workerEra } = erasWith(verdict(no, yes));
    expect(workerEra('legacy')).toBe('modern');
    stumbled('modern');
    expect([workerEra('legacy'), workerEra('modern')]).toEqual(['legacy', 'legacy']);
    // It was true after all, and the process had ended for another reason.
    expect(learned('legacy', false)).toBe(true);
    expect(workerEra('legacy')).toBe('modern');
    learned('modern', true);
    stumbled('modern');
    expect(workerEra('legacy')).toBe('modern');
  });

  test('is found to be wrong by the tenant’s first process that answers', () => {
    const { learned, saved, stumbled, workerEra } = erasWith(verdict(no, yes));
    stumbled('modern');
    learned('legacy', true);
    expect([workerEra('legacy'), workerEra('modern')]).toEqual(['legacy', 'legacy']);
    expect(saved).toEqual([verdict(yes, no)]);
  });

  test('goes to and fro while nothing comes of either', () => {
    const { stumbled, workerEra } = erasWith(verdict(no, unknown));
    for (const [era, next] of [
      ['modern', 'legacy'],
      ['legacy', 'modern'],
      ['modern', 'legacy'],
    ] as const) {
      expect(workerEra('legacy')).toBe(era);
      stumbled(era);
      expect(workerEra('legacy')).toBe(next);
    }
  });
});

describe('a server that is silent when asked for the modern era', () => {
  test('and starts much faster than that is a legacy one, whichever is known first', () => {
    for (const order of [0, 1]) {
      const { learned, unanswered, startedIn, workerEra, saved } = erasWith(verdict(unknown, unknown));
      const steps = [
        () => unanswered(10_000),
        () => {
          learned('legacy', true);
          startedIn(5000);
        },
      ];
      if (order === 1) steps.reverse();
      for (const step of steps) step();
      expect(workerEra('modern')).toBe('legacy');
      expect(saved.at(-1)).toEqual(verdict(yes, no));
    }
  });

  test('serves modern clients as a legacy one until it has started, and if it took long is asked anew, with more time', () => {
    const { learned, unanswered, startedIn, workerEra, patience, saved } = erasWith(
      verdict(unknown, unknown),
    );
    expect(patience()).toBe(10_000);
    unanswered(10_000);
    expect(workerEra('modern')).toBe('legacy');
    learned('legacy', true);
    startedIn(12_000);
    expect([workerEra('modern'), patience()]).toEqual([undefined, 36_000]);
    expect(saved).toEqual([verdict(yes, unknown)]);
    unanswered(36_000);
    expect(workerEra('modern')).toBe('legacy');
    expect(saved.at(-1)).toEqual(verdict(yes, no));
  });

  test('and then refuses the legacy era is a modern one that starts slowly', () => {
    const { learned, unanswered, workerEra } = erasWith(verdict(unknown, unknown));
    unanswered(10_000);
    expect(learned('legacy', false)).toBe(true);
    expect([workerEra('legacy'), workerEra('modern')]).toEqual(['modern', 'modern']);
    // Another process of it was asked meanwhile.
    unanswered(10_000);
    expect(workerEra('modern')).toBe('modern');
  });
});
