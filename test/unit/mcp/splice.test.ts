import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splice } from '../../../src/mcp/splice.ts';

/** Above this size messages come back as slices; both ways must give the same bytes. */
const large = 64 * 1024;

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const between = fc.uint8Array({ maxLength: 30 }).map(textOf);
/** A JSON value is never empty; of two empty spans in one place nobody could say which is first. */
const value = fc.uint8Array({ minLength: 1, maxLength: 30 }).map(textOf);

/** Bytes in five stretches, the second and the fourth of which are to be exchanged. */
const stretches = fc
  .tuple(fc.tuple(between, value, between, value, between), fc.boolean())
  .map(([parts, isLarge]) => (isLarge ? [parts[0] + 'x'.repeat(large), ...parts.slice(1)] : parts));

function spansOf(parts: readonly string[], indexes: readonly number[]) {
  return indexes.map((index) => {
    const start = parts.slice(0, index).join('').length;
    return { start, end: start + parts[index]!.length };
  });
}
const bytesOf = (parts: readonly string[]) => Buffer.from(parts.join(''), 'latin1');

test('exchanges two parts, leaves every other byte, and back again', () => {
  fc.assert(
    fc.property(stretches, value, value, fc.boolean(), (parts, one, other, isSwapped) => {
      const exchanged = parts.with(1, one).with(3, other);
      const edit = (from: readonly string[], to: readonly string[]) => {
        const [first, second] = spansOf(from, [1, 3]);
        const edits = [
          { span: first!, text: to[1]! },
          { span: second!, text: to[3]! },
        ];
        return Buffer.concat(splice(bytesOf(from), isSwapped ? edits.reverse() : edits));
      };
      // `equals`, because comparing large buffers part by part takes seconds.
      expect(edit(parts, exchanged).equals(bytesOf(exchanged))).toBe(true);
      expect(edit(exchanged, parts).equals(bytesOf(parts))).toBe(true);
    }),
  );
});

test('exchanges one part, or none, and adds a tail', () => {
  fc.assert(
    fc.property(stretches, value, between, (parts, text, tail) => {
      const [span] = spansOf(parts, [3]);
      const one = Buffer.concat(splice(bytesOf(parts), [{ span: span!, text }], tail));
      expect(one.equals(bytesOf([...parts.with(3, text), tail]))).toBe(true);
      expect(Buffer.concat(splice(bytesOf(parts), [], tail)).equals(bytesOf([...parts, tail]))).toBe(true);
    }),
  );
});

test('leaves the original alone', () => {
  for (const size of [10, large + 1]) {
    const bytes = Buffer.alloc(size, 'a');
    splice(bytes, [{ span: { start: 1, end: 2 }, text: 'b' }], '\n');
    expect(bytes.equals(Buffer.alloc(size, 'a'))).toBe(true);
  }
});

test('a large message is never copied', () => {
  const bytes = Buffer.alloc(large + 1, 'a');
  const parts = splice(bytes, [{ span: { start: 10, end: 12 }, text: '7' }], '\n');
  const copied = parts.filter(({ buffer }) => buffer !== bytes.buffer);
  expect(Buffer.concat(copied).toString()).toBe('7\n');
});

test('a small message is one piece, so that it is one write', () => {
  expect(splice(Buffer.from('{"id":1}'), [{ span: { start: 6, end: 7 }, text: '42' }], '\n')).toEqual([
    Buffer.from('{"id":42}\n'),
  ]);
});

test('what is put in where something is taken out stands there, whichever was said first', () => {
  for (const size of [0, large]) {
    const bytes = Buffer.from(`${'x'.repeat(size)}[1,2]`);
    const [one, two] = [size + 2, size + 4];
    const edits = [
      { span: { start: one, end: two }, text: '' },
      { span: { start: one, end: one }, text: '}' },
    ];
    for (const each of [edits, edits.toReversed()])
      expect(Buffer.concat(splice(bytes, each)).toString().slice(size)).toBe('[1}]');
  }
});
