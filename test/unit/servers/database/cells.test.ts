import fc from 'fast-check';
import { types } from 'pg';
import { expect, test } from 'vitest';
import { readCell, typeName } from '../../../../src/servers/database/cells.ts';

const { BOOL, INT4, INT8, NUMERIC, FLOAT8, JSONB, TEXT } = types.builtins;
const value = (text: string | null, type: number) => readCell(text, type, 100).value;

test('values are what they were in the database', () => {
  expect(value(null, TEXT)).toBeNull();
  expect([value('t', BOOL), value('f', BOOL)]).toEqual([true, false]);
  expect([value('7', INT4), value('1.5', FLOAT8)]).toEqual([7, 1.5]);
  expect(value('{"a": [1]}', JSONB)).toEqual({ a: [1] });
});

test('what JSON or a double cannot hold stays text', () => {
  expect(value('9007199254740993', INT8)).toBe('9007199254740993');
  expect(value('0.10', NUMERIC)).toBe('0.10');
  expect([value('NaN', FLOAT8), value('-Infinity', FLOAT8)]).toEqual(['NaN', '-Infinity']);
  expect(value('{"id": 9007199254740993}', JSONB)).toBe('{"id": 9007199254740993}');
});

test('long values are cut, and never in the middle of a character', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.integer({ min: 1, max: 60 }),
      (text, max) => {
        const { value: cell, isCut } = readCell(text, TEXT, max);
        const cut = cell as string;
        expect(isCut).toBe(text.length > max);
        expect(cut).not.toMatch(/\p{Surrogate}/u);
        expect(cut.length).toBeLessThanOrEqual(max + 1);
        if (isCut) expect(text.startsWith(cut.slice(0, -1))).toBe(true);
        else expect(cut).toBe(text);
      },
    ),
  );
});

test('types have PostgreSQL’s names, where they are its own', () => {
  expect([typeName(INT8), typeName(TEXT), typeName(123_456)]).toEqual(['int8', 'text', 'type 123456']);
});
