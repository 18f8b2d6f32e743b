import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Roster } from '../../../src/calls/roster.ts';

test('who came and has not left is here, in whatever order they leave', () => {
  const steps = fc.array(fc.record({ isLeaving: fc.boolean(), which: fc.nat(50) }), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (all) => {
      const roster = new Roster<{ place: number; name: number }>();
      const here = new Map<number, { place: number; name: number }>();
      for (const [name, { isLeaving, which }] of all.entries()) {
        const leaver = [...here.values()][which % Math.max(1, here.size)];
        if (isLeaving && leaver) {
          roster.remove(leaver);
          here.delete(leaver.name);
        } else {
          const member = { place: 0, name };
          roster.add(member);
          here.set(name, member);
        }
        expect(roster.size).toBe(here.size);
      }
      expect(new Set(roster)).toEqual(new Set(here.values()));
    }),
  );
});
