import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byteText, changeMembers, elementsOf, memberOf, membersOf } from '../../../src/mcp/members.ts';
import { Scanner, type Span } from '../../../src/mcp/scanner.ts';
import { splice } from '../../../src/mcp/splice.ts';
import { jsonText, keyText, padded, plainKey } from './some-json.ts';

function spanOf(bytes: Buffer): Span {
  return new Scanner(bytes, 1000).value();
}
const read = (text: string) => {
  const bytes = Buffer.from(text);
  return { bytes, span: spanOf(bytes) };
};
const textAt = (bytes: Buffer, { start, end }: Span) => bytes.toString('utf8', start, end);

/** Members as they are written: key, and all of the text from the key to the end of the value. */
const writtenMember = fc
  .record({ key: plainKey, spelled: fc.boolean(), before: padded, after: padded, value: jsonText })
  .map(({ key, spelled, before, after, value }) => ({
    key,
    text: `${keyText(key, spelled)}${before}:${after}${value}`,
    value,
  }));
const written = fc.record({
  members: fc.array(writtenMember, { maxLength: 8 }),
  gaps: fc.array(padded, { minLength: 20, maxLength: 20 }),
});

describe('the members of an object', () => {
  test('are found with their keys and values, however they are written', () => {
    fc.assert(
      fc.property(written, ({ members, gaps }) => {
        const { bytes, span } = read(`{${members.map(({ text }, at) => gaps[at]! + text).join(',')} }`);
        const found = membersOf(bytes, span);
        expect(found.map(({ key }) => key)).toEqual(members.map(({ key }) => key));
        expect(found.map(({ value }) => textAt(bytes, value))).toEqual(members.map(({ value }) => value));
        expect(found.map(({ start, value }) => bytes.toString('utf8', start, value.end))).toEqual(
          members.map(({ text }) => text),
        );
      }),
    );
  });

  test.each(['[{"a":1}]', '"{"', '7', 'null'])('%s has none', (text) => {
    const { bytes, span } = read(text);
    expect(membersOf(bytes, span)).toEqual([]);
  });

  test('of two with the same key the last one counts', () => {
    const { bytes, span } = read('{"a":1,"b":2,"\\u0061":3}');
    expect(textAt(bytes, memberOf(membersOf(bytes, span), 'a')!)).toBe('3');
    expect(memberOf(membersOf(bytes, span), 'c')).toBeUndefined();
  });
});

test('the elements of a list are found; nothing else has any', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(padded, jsonText, padded), { maxLength: 8 }), (items) => {
      const { bytes, span } = read(`[${items.map((item) => item.join('')).join()}]`);
      expect(elementsOf(bytes, span).map((each) => textAt(bytes, each))).toEqual(
        items.map(([, value]) => value),
      );
    }),
  );
  for (const text of ['{"a":[1]}', '"["', '7']) {
    const { bytes, span } = read(text);
    expect(elementsOf(bytes, span)).toEqual([]);
  }
});

describe('changing members', () => {
  test('takes out exactly those, puts in exactly those, and keeps every byte of the others in their order', () => {
    fc.assert(
      fc.property(
        written,
        fc.infiniteStream(fc.boolean()),
        fc.array(fc.tuple(plainKey, jsonText), { maxLength: 3 }),
        ({ members, gaps }, coin, added) => {
          const goes = new Map(members.map(({ key }) => [key, coin.next().value]));
          const { bytes, span } = read(`{${members.map(({ text }, at) => gaps[at]! + text).join(',')}}`);
          const insert = added.map(([key, value]) => `${JSON.stringify(key)}:${value}`);
          const edits = changeMembers(
            span,
            membersOf(bytes, span),
            (key) => goes.get(key) === true,
            byteText(insert.join()),
          );
          const changed = Buffer.concat(splice(bytes, edits));
          const after = membersOf(changed, spanOf(changed));
          const staying = members.filter(({ key }) => goes.get(key) !== true);
          // Sound JSON all through, and not one byte of a member is another.
          expect(() => JSON.parse(changed.toString()) as unknown).not.toThrow();
          expect(after.map(({ start, value }) => changed.toString('utf8', start, value.end))).toEqual([
            ...insert,
            ...staying.map(({ text }) => text),
          ]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('that changes nothing makes no edit', () => {
    const { bytes, span } = read('{"a":1}');
    expect(changeMembers(span, membersOf(bytes, span), () => false)).toEqual([]);
  });

  test.each([
    ['{}', '{"n":1}'],
    ['{ }', '{"n":1 }'],
    ['{"x":1}', '{"n":1}'],
    ['{"x":1,"x":2}', '{"n":1}'],
    ['{"a":1,"x":2}', '{"n":1,"a":1}'],
    ['{"x":1,"a":2}', '{"n":1,"a":2}'],
    ['{"x":1,"a":2,"x":3,"x":4,"b":5,"x":6}', '{"n":1,"a":2,"b":5}'],
  ])('%s becomes %s', (from, to) => {
    const { bytes, span } = read(from);
    const edits = changeMembers(span, membersOf(bytes, span), (key) => key === 'x', '"n":1');
    expect(Buffer.concat(splice(bytes, edits)).toString()).toBe(to);
  });
});

test('text goes into an edit with one character per byte', () => {
  expect(Buffer.from(byteText('é😀'), 'latin1').toString()).toBe('é😀');
  expect(Buffer.from(byteText({ é: ['😀'] }), 'latin1').toString()).toBe('{"é":["😀"]}');
});
