import { describe, expect, test } from 'vitest';
import { wrappedSchema } from '../../../src/bridge/wrapped-schema.ts';

const innerOf = (schema: Readonly<Record<string, unknown>>) =>
  (wrappedSchema(schema)['properties'] as { result: Record<string, unknown> }).result;

test('a schema of anything is put into one of an object', () => {
  const schema = { type: 'array', items: { type: 'integer' } };
  expect(wrappedSchema(schema)).toEqual({
    type: 'object',
    properties: { result: schema },
    required: ['result'],
  });
});

test('the dialect is named at the root, where validators look for it', () => {
  const dialect = 'https://json-schema.org/draft/2020-12/schema';
  expect(wrappedSchema({ $schema: dialect, type: 'string' })).toMatchObject({
    $schema: dialect,
    type: 'object',
  });
  expect(wrappedSchema({ $schema: 7, type: 'string' })).not.toHaveProperty('$schema');
});

describe('references', () => {
  test.each([
    ['#', '#/properties/result'],
    ['#/$defs/tree', '#/properties/result/$defs/tree'],
    ['#anchor', '#anchor'],
    ['other.json#/$defs/tree', 'other.json#/$defs/tree'],
    ['https://example.com/s', 'https://example.com/s'],
  ])('%s becomes %s', (from, to) => {
    expect(innerOf({ anyOf: [{ $ref: from }, { $dynamicRef: from }] })).toEqual({
      anyOf: [{ $ref: to }, { $dynamicRef: to }],
    });
  });

  test('are followed wherever a schema stands', () => {
    const ref = { $ref: '#/$defs/a' };
    const moved = { $ref: '#/properties/result/$defs/a' };
    const schema = (at: object) => ({
      $defs: { a: at },
      properties: { b: at },
      patternProperties: { '^c': at },
      dependentSchemas: { d: at },
      items: [{ not: at }],
      additionalProperties: at,
    });
    expect(innerOf(schema(ref))).toEqual(schema(moved));
  });

  test.each(['const', 'enum', 'default', 'examples'])(
    'a value in %s is an example, and no reference',
    (key) => {
      const schema = { [key]: [{ $ref: '#/x' }] };
      expect(innerOf(schema)).toEqual(schema);
    },
  );

  test.each(['const', 'default', '$ref', '__proto__'])(
    'a property called %s is a schema like any other',
    (name) => {
      const schema = (ref: string) => ({ properties: Object.fromEntries([[name, { $ref: ref }]]) });
      expect(JSON.stringify(innerOf(schema('#/x')))).toBe(JSON.stringify(schema('#/properties/result/x')));
    },
  );

  test('below an $id of their own stay as they are; a mere anchor is none', () => {
    const own = { $id: 'https://example.com/s', anyOf: [{ $ref: '#/x' }] };
    expect(innerOf(own)).toEqual(own);
    expect(innerOf({ anyOf: [own, { $ref: '#/x' }] })).toEqual({
      anyOf: [own, { $ref: '#/properties/result/x' }],
    });
    expect(innerOf({ $id: '#name', anyOf: [{ $ref: '#/x' }] })).toEqual({
      $id: '#name',
      anyOf: [{ $ref: '#/properties/result/x' }],
    });
  });

  test('that are no text are not touched', () => {
    expect(innerOf({ $ref: 7, anyOf: [true, null] })).toEqual({ $ref: 7, anyOf: [true, null] });
  });
});
