import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import { describe, expect, test } from 'vitest';
import { objectSchema, wrappedSchema } from '../../../src/bridge/wrapped-schema.ts';

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

describe('what a legacy client is told of structured content', () => {
  const object = (name: string) => ({
    type: 'object',
    properties: { [name]: { type: 'number' } },
    required: [name],
  });
  const a = { a: 1 };
  const list = { result: [1] };
  const $defs = { A: object('a'), Tree: { type: 'array', items: { $ref: '#/$defs/Tree' } } };
  /** As the official client judges it. */
  const isValid = (schema: Readonly<Record<string, unknown>>, content: unknown) =>
    new AjvJsonSchemaValidator().getValidator(objectSchema(schema))(content).valid;

  test('that is an object is what the server says', () => {
    const schema = object('a');
    expect(objectSchema(schema)).toBe(schema);
  });

  test.each([
    ['anyOf', { anyOf: [object('a'), object('b')] }],
    ['oneOf', { oneOf: [object('a'), { allOf: [object('b'), {}] }] }],
    ['allOf', { allOf: [{}, object('a')] }],
  ])('that is one of several objects (%s) is the same, and that it is an object', (_how, schema) => {
    expect(objectSchema(schema)).toEqual({ ...schema, type: 'object' });
    expect([isValid(schema, a), isValid(schema, { c: 1 })]).toEqual([true, false]);
  });

  test.each([
    ['a reference', { $ref: '#/$defs/A', $defs }, a],
    ['an object or null', { type: ['object', 'null'], required: ['a'] }, a],
    ['an object or null', { type: ['object', 'null'], required: ['a'] }, { result: null }],
    ['an object or a list', { anyOf: [object('a'), { $ref: '#/$defs/Tree' }], $defs }, a],
    ['an object or a list', { anyOf: [object('a'), { $ref: '#/$defs/Tree' }], $defs }, { result: [[[]]] }],
    ['a list by reference', { $ref: '#/$defs/Tree', $defs }, { result: [[]] }],
    [
      'what has a base of its own',
      { $id: 'https://example.com/s', anyOf: [{ $ref: '#/$defs/A' }], $defs },
      a,
    ],
    [
      'what has a base of its own',
      { $id: 'https://example.com/s', anyOf: [{ $ref: '#/$defs/Tree' }], $defs },
      { result: [] },
    ],
    ['anything', {}, a],
    ['anything', {}, list],
    ['a list', { type: 'array', items: { type: 'number' } }, list],
    ['a list or null', { type: ['array', 'null'] }, { result: null }],
  ])('that is %s (%j) is as it comes: %j', (_what, schema, content) => {
    expect(objectSchema(schema)).toMatchObject({ type: 'object' });
    expect(isValid(schema, content)).toBe(true);
  });

  test.each([
    [{ $ref: '#/$defs/A', $defs }, { b: 1 }],
    [{ $ref: '#/$defs/A', $defs }, { result: [1] }],
    [{ type: ['object', 'null'], required: ['a'] }, { result: 7 }],
    [{ type: 'array' }, a],
  ])('is not as described (%j) where the server says something else: %j', (schema, content) => {
    expect(isValid(schema, content)).toBe(false);
  });
});
