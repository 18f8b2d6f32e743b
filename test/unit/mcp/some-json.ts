import fc from 'fast-check';

/** Keys that a program might trip over. */
export const plainKey = fc.oneof(
  fc.constantFrom('a', 'b', '', '__proto__', 'constructor', 'é', '😀', '\u2028', 'a"b\\', '\u0000'),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
);

/** A key as it is written, in escapes only if wanted. */
export const keyText = (key: string, isEscaped: boolean): string =>
  isEscaped
    ? `"${key
        .split('')
        .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
        .join('')}"`
    : JSON.stringify(key);

/** White space that may stand between two tokens. */
export const padded = fc.constantFrom('', '', '', ' ', '\t ');

/** Values that a parser would change on their way through it. */
const oddText = fc.constantFrom(
  '12345678901234567890123',
  '-9223372036854775808',
  '1e400',
  '-1E+400',
  '-0',
  '-0.0',
  '1.0',
  '1.10e-7',
  '"\\u0041\\/\\ud800"',
  '"\\ud83d\\ude00 😀 é e\u0301 \u2028\u2029\ufeff\u200b"',
  '"\\u0000"',
  '{"a":1,"a":2}',
  '{"__proto__":{"x":1},"":null}',
  '[ 1 ,\t2 ]',
  'null',
);

/** Any JSON value as text, of which a parser would change much. */
export const jsonText: fc.Arbitrary<string> = fc.oneof(
  oddText,
  fc.jsonValue({ stringUnit: 'grapheme', maxDepth: 3 }).map((value) => JSON.stringify(value)),
);
