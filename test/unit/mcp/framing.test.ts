import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitLines } from '../../../src/mcp/framing.ts';

const roomy = 1024 * 1024;

/** What comes out when `chunks` go in. */
function read(chunks: readonly Buffer[], maxBytes = roomy) {
  const lines: string[] = [];
  let tooLong = 0;
  const splitter = splitLines(
    maxBytes,
    (line) => lines.push(line.toString()),
    () => tooLong++,
  );
  for (const chunk of chunks) splitter.push(chunk);
  return { lines, tooLong, pending: splitter.pendingBytes };
}

/** Cuts may fall inside a character and between `\r` and `\n`; two at one place make an empty chunk. */
function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const stream = fc
  .array(fc.constantFrom('\n', '\r\n', '\r', '{}', 'é', '😀', 'a longer piece of text'), { maxLength: 40 })
  .map((pieces) => Buffer.from(pieces.join('')));
const cuts = fc.array(fc.nat(), { maxLength: 20 });
const everyByte = (bytes: Buffer) => [...bytes.keys()].map((at) => bytes.subarray(at, at + 1));

test('the same lines come out however the bytes are cut', () => {
  fc.assert(
    fc.property(stream, cuts, (bytes, places) => {
      const pieces = bytes.toString().split('\n');
      const rest = pieces.pop()!;
      const lines = pieces.map((line) => line.replace(/\r$/, '')).filter((line) => line !== '');
      const expected = { lines, tooLong: 0, pending: Buffer.byteLength(rest) };
      expect(read(cut(bytes, places))).toEqual(expected);
      expect(read(everyByte(bytes))).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test('the bound bites at the same place however the bytes are cut', () => {
  fc.assert(
    fc.property(stream, cuts, fc.nat(30), (bytes, places, maxBytes) => {
      const { lines, tooLong } = read([bytes], maxBytes);
      expect(read(cut(bytes, places), maxBytes)).toMatchObject({ lines, tooLong });
      expect(read(everyByte(bytes), maxBytes)).toMatchObject({ lines, tooLong });
    }),
    { numRuns: 500 },
  );
});

test('a line may be as long as the bound, and not one byte longer', () => {
  expect(read([Buffer.from('12345\n')], 5)).toMatchObject({ lines: ['12345'], tooLong: 0 });
  expect(read([Buffer.from('123456\n')], 5)).toMatchObject({ lines: [], tooLong: 1 });
});

test('a line without an end is refused as soon as it is too long', () => {
  // One byte more may yet be the `\r` of a line break.
  expect(read([Buffer.from('123'), Buffer.from('4567')], 5).tooLong).toBe(1);
  expect(read([Buffer.from('123456\n')], 5).tooLong).toBe(1);
});

test('a line break of two bytes is no part of the line', () => {
  expect(read([Buffer.from('12345\r\n')], 5)).toMatchObject({ lines: ['12345'], tooLong: 0 });
});

test('after a line too long nothing more is read, and it is said once', () => {
  const chunks = ['ok\n', 'much too long', ' and longer\n', 'short\n'].map((text) => Buffer.from(text));
  expect(read(chunks, 5)).toMatchObject({ lines: ['ok'], tooLong: 1 });
});
