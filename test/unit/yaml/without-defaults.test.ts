import { expect, test } from 'vitest';
import { z } from 'zod';
import { duration } from '../../../src/yaml/duration.ts';
import { withoutDefaults } from '../../../src/yaml/without-defaults.ts';

const shape = {
  max: z.int().min(1).default(5),
  idle: duration(100).default(600_000),
};
const some = z.strictObject(withoutDefaults(shape));

test('a key left out is absent, so that the default of another place can come through', () => {
  expect(some.parse({})).toEqual({});
  expect(Object.keys(some.parse({ max: 2 }))).toEqual(['max']);
});

test('a key that is there is read and judged as before', () => {
  expect(some.parse({ max: 2, idle: '1s' })).toEqual({ max: 2, idle: 1000 });
  expect(some.safeParse({ max: 0 }).success).toBe(false);
  expect(some.safeParse({ idle: '1ms' }).success).toBe(false);
  expect(some.safeParse({ other: 1 }).success).toBe(false);
});

test('the shape it was made from keeps its defaults', () => {
  expect(z.strictObject(shape).parse({})).toEqual({ max: 5, idle: 600_000 });
});
