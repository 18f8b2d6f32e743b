import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson, tryParseJson } from '../../../../src/servers/kit/json.ts';

describe('ids beyond 2^53', () => {
  test.each([
    ['{"id":234567000000105017}', { id: '234567000000105017' }],
    ['[-9007199254740993]', ['-9007199254740993']],
    ['[9007199254740991]', [9007199254740991]],
    ['9007199254740993', '9007199254740993'],
    [
      '{"a":"9007199254740993","b":[ 9007199254740993 ,1]}',
      { a: '9007199254740993', b: ['9007199254740993', 1] },
    ],
    [
      '{"a\\\\":"\\"9007199254740993","b":12345678901234567890}',
      { 'a\\': '"9007199254740993', b: '12345678901234567890' },
    ],
  ])('%s', (text, value) => {
    expect(parseJson(text)).toEqual(value);
  });

  test('numbers with a fraction or an exponent stay numbers', () => {
    const text = '[1234567890123456789.5, 12345678901234567e3, 0.12345678901234567]';
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });
});

test('whatever stands around them, long whole numbers become texts and nothing else changes', () => {
  const leaf = fc.oneof(
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Number.isInteger(value)),
    fc.string({ unit: 'binary' }),
    fc.constantFrom(null, true, false, '"9007199254740993', '\\', '\\"', '-'),
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.string({ unit: 'binary', maxLength: 5 }), tie('value'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(value, (model) => {
      expect(parseJson(`[${written(model)},1234567890123456]`)).toEqual([meant(model), 1234567890123456]);
    }),
    { numRuns: 150 },
  );
});

function written(model: unknown): string {
  if (typeof model === 'bigint') return String(model);
  if (Array.isArray(model)) return `[ ${model.map(written).join(' , ')}]`;
  if (typeof model !== 'object' || model === null) return JSON.stringify(model);
  const pairs = Object.entries(model).map(([key, each]) => `${JSON.stringify(key)}:${written(each)}`);
  return `{${pairs.join(',')} }`;
}

function meant(model: unknown): unknown {
  if (typeof model === 'bigint') return Number.isSafeInteger(Number(model)) ? Number(model) : String(model);
  if (Array.isArray(model)) return model.map(meant);
  if (typeof model !== 'object' || model === null) return model;
  return JSON.parse(
    JSON.stringify(Object.fromEntries(Object.entries(model).map(([key, each]) => [key, meant(each)]))),
  );
}

test('what is no JSON stays none', () => {
  expect(() => parseJson('{"a":12345678901234567890')).toThrow(SyntaxError);
  expect(tryParseJson('<html>')).toBeUndefined();
});
