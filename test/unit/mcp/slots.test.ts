import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Slots } from '../../../src/mcp/slots.ts';

test('does what a map does, for numbers that only grow', () => {
  // Some stay so long that their place comes round again several times.
  const steps = fc.array(fc.oneof(fc.constant('add' as const), fc.nat(1000)), {
    minLength: 1,
    maxLength: 2000,
  });
  fc.assert(
    fc.property(steps, fc.nat(20), (all, stay) => {
      const [slots, map] = [new Slots<string>(), new Map<number, string>()];
      let last = 0;
      for (const step of all) {
        if (step === 'add' || map.size <= stay) {
          last++;
          slots.add(last, `entry ${last}`);
          map.set(last, `entry ${last}`);
        } else {
          const number = [...map.keys()][step % map.size] ?? 0;
          expect(slots.take(number)).toBe(map.get(number));
          map.delete(number);
          expect(slots.take(number)).toBeUndefined();
        }
        expect(slots.size).toBe(map.size);
      }
      for (let number = 1; number <= last; number++) expect(slots.get(number)).toBe(map.get(number));
      expect(slots.values().toSorted()).toEqual([...map.values()].toSorted());
    }),
    { numRuns: 50 },
  );
});

test('a place that is still taken does not keep a newer one out', () => {
  const slots = new Slots<number>();
  for (let number = 1; number <= 1000; number++) slots.add(number, number);
  for (let number = 1000; number >= 1; number--) expect(slots.take(number)).toBe(number);
  expect(slots.size).toBe(0);
  expect(slots.get(7)).toBeUndefined();
});

test('what was taken out is gone, wherever it was', () => {
  const slots = new Slots<number>();
  for (let number = 1; number <= 600; number++) slots.add(number, number);
  for (const number of [7, 600]) {
    expect(slots.take(number)).toBe(number);
    expect([slots.take(number), slots.get(number)]).toEqual([undefined, undefined]);
  }
  expect([slots.size, slots.values().length]).toEqual([598, 598]);
});

test('is empty when it was cleared', () => {
  const slots = new Slots<number>();
  for (let number = 1; number <= 600; number++) slots.add(number, number);
  slots.clear();
  expect([slots.size, slots.values(), slots.get(600), slots.get(1)]).toEqual([0, [], undefined, undefined]);
});
