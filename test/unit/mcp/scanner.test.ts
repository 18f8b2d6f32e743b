import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ScanError, Scanner } from '../../../src/mcp/scanner.ts';

/** Far deeper than any generated value. */
const deep = 1000;

/** `accepted`, or the kind of the refusal. */
function verdict(bytes: Buffer, maxDepth = deep): ScanError['kind'] | 'accepted' {
  const scanner = new Scanner(bytes, maxDepth);
  try {
    scanner.value();
    scanner.finish();
    return 'accepted';
  } catch (thrown) {
    if (thrown instanceof ScanError) return thrown.kind;
    throw thrown;
  }
}
const accepts = (bytes: Buffer) => verdict(bytes) === 'accepted';

/** The judge: `toString` would mend broken UTF-8, so that is looked at first. */
function isJson(bytes: Buffer): boolean {
  if (!isUtf8(bytes)) return false;
  try {
    JSON.parse(bytes.toString());
    return true;
  } catch {
    return false;
  }
}

const blanks = fc.infiniteStream(fc.constantFrom('', '', ' ', '\t', '\n', '\r', '  \r\n'));
const fullyEscaped = (text: string) =>
  `"${text
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')}"`;

/** A value as JSON, with a blank of chance wherever one may stand. */
function spaced(value: unknown, blank: () => string): string {
  const text = (): string => {
    if (Array.isArray(value)) return `[${value.map((item) => spaced(item, blank)).join()}${blank()}]`;
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    const members = Object.entries(value).map(
      ([key, item]) => `${blank()}${JSON.stringify(key)}${blank()}:${spaced(item, blank)}`,
    );
    return `{${members.join()}${blank()}}`;
  };
  return `${blank()}${text()}${blank()}`;
}
const spacedJson = fc
  .tuple(fc.jsonValue({ stringUnit: 'binary', maxDepth: 5 }), blanks)
  .map(([value, stream]) => spaced(value, () => String(stream.next().value)));

describe('what is JSON', () => {
  test('is accepted, however it is spaced', () => {
    fc.assert(
      fc.property(spacedJson, (text) => {
        expect(isJson(Buffer.from(text))).toBe(true);
        expect(verdict(Buffer.from(text))).toBe('accepted');
      }),
    );
  });

  test('with one byte changed, added or lost is judged as JSON.parse judges it', () => {
    const byte = fc.oneof(
      fc.constantFrom(...Buffer.from('{}[]",:\\/-+.eE0123456789tfnu \n\r\t')),
      fc.nat(255),
    );
    fc.assert(
      fc.property(spacedJson, fc.nat(), byte, fc.constantFrom(0, 1), fc.constantFrom(0, 1), (...drawn) => {
        const [text, where, other, lost, added] = drawn;
        const bytes = Buffer.from(text);
        const at = where % bytes.length;
        const mangled = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from([other]).subarray(0, added),
          bytes.subarray(at + lost),
        ]);
        expect(accepts(mangled)).toBe(isJson(mangled));
      }),
      { numRuns: 3000 },
    );
  });

  test('cut off anywhere is judged as JSON.parse judges it', () => {
    fc.assert(
      fc.property(spacedJson, fc.nat(), (text, where) => {
        const bytes = Buffer.from(text);
        const part = bytes.subarray(0, where % (bytes.length + 1));
        expect(accepts(part)).toBe(isJson(part));
      }),
      { numRuns: 500 },
    );
  });

  test('numbers follow the grammar', () => {
    const numberLike = fc.string({
      unit: fc.constantFrom(...'0012345679+--..eE'.split('')),
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(numberLike, (text) => {
        expect(accepts(Buffer.from(text))).toBe(isJson(Buffer.from(text)));
      }),
      { numRuns: 3000 },
    );
  });

  test('strings follow the grammar, byte for byte', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '\\n',
        '\\"',
        '\\\\',
        '\\/',
        '\\u00e9',
        '\\ud83d',
        '\\u00g0',
        '\\x',
        '\\',
        '"',
        '\u0000',
      ),
      fc.string({ unit: 'binary', maxLength: 2 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), fc.uint8Array({ maxLength: 3 }), (pieces, raw) => {
        const bytes = Buffer.concat([Buffer.from(`"${pieces.join('')}`), raw, Buffer.from('"')]);
        expect(accepts(bytes)).toBe(isJson(bytes));
      }),
      { numRuns: 2000 },
    );
  });
});

test('broken UTF-8 in a string is told from broken JSON', () => {
  const lonelyLead = Buffer.from([0x22, 0xc3, 0x22]);
  expect(verdict(lonelyLead)).toBe('encoding');
  expect(verdict(Buffer.from('"\u0001"'))).toBe('syntax');
});

test('nesting is bounded, to the very level', () => {
  const nested = (levels: number) => Buffer.from('[{"a":'.repeat(levels / 2) + '1' + '}]'.repeat(levels / 2));
  expect(verdict(nested(64), 64)).toBe('accepted');
  expect(verdict(nested(66), 65)).toBe('too_deep');
  // What was left again does not count.
  expect(verdict(Buffer.from(`[${Array(100).fill('[]').join()}]`), 2)).toBe('accepted');
});

test('endless nesting is refused before the stack gives way', () => {
  expect(verdict(Buffer.alloc(1_000_000, '['), 256)).toBe('too_deep');
});

test('a refusal says where, and quotes nothing', () => {
  const scanner = new Scanner(Buffer.from('"s3cret" s3cret'), deep);
  scanner.skip();
  expect(() => scanner.finish()).toThrow(expect.objectContaining({ kind: 'syntax', at: 9 }) as Error);
  expect(() => scanner.finish()).toThrow(/^(?!.*s3cret).* at byte 9$/);
});

describe('where things stand', () => {
  test('each element is found, with nothing around it', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), blanks, (items, stream) => {
        const bytes = Buffer.from(
          `[${items.map((item) => spaced(item, () => String(stream.next().value))).join()} ]`,
        );
        const scanner = new Scanner(bytes, deep);
        const found: string[] = [];
        scanner.peek();
        scanner.elements(() => {
          const { start, end } = scanner.value();
          found.push(bytes.toString('utf8', start, end));
        });
        scanner.finish();
        expect(found.map((text) => JSON.stringify(JSON.parse(text)))).toEqual(
          items.map((item) => JSON.stringify(item)),
        );
        expect(found).toEqual(found.map((text) => text.trim()));
      }),
    );
  });

  test('a key is the same key however it is spelled', () => {
    const key = fc.string({ unit: 'grapheme-ascii' });
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.boolean())), (members) => {
        const spell = ([name, escaped]: [string, boolean]) =>
          escaped ? fullyEscaped(name) : JSON.stringify(name);
        const bytes = Buffer.from(`{${members.map((member) => `${spell(member)}:[1]`).join()}}`);
        const scanner = new Scanner(bytes, deep);
        const keys: string[] = [];
        scanner.members((name) => {
          keys.push(name);
          scanner.skip();
        });
        scanner.finish();
        expect(keys).toEqual(members.map(([name]) => name));
      }),
    );
  });
});

test('a line break between values is noticed, one inside a string is an escape and none', () => {
  const isBroken = (text: string) => {
    const scanner = new Scanner(Buffer.from(text), deep);
    scanner.value();
    scanner.finish();
    return scanner.broken;
  };
  for (const text of ['{"a":1}\n', '\r{}', '[1,\n2]', '{"a"\r:1}', '[1\n]'])
    expect(isBroken(text)).toBe(true);
  for (const text of ['{"a\\n":"\\r"}', ' [1,\t2 ] ']) expect(isBroken(text)).toBe(false);
});
