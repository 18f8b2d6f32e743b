import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stderrTail } from '../../../src/workers/stderr-tail.ts';

/** A stream that has said `chunks`, one after the other. */
async function said(chunks: readonly string[], maxBytes?: number): Promise<() => string> {
  const stream = new PassThrough();
  const tail = stderrTail(stream, maxBytes);
  for (const chunk of chunks) stream.write(chunk);
  const ended = new Promise((resolve) => stream.once('end', resolve));
  stream.end();
  await ended;
  return tail;
}

test('a process that said nothing has an empty tail', async () => {
  expect((await said([]))()).toBe('');
});

test('the last words are kept, whatever pieces they came in; none of a line whose beginning is lost', async () => {
  const chunk = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { maxLength: 30 }), async (chunks) => {
      const all = chunks.join('');
      const last = all.slice(-20);
      const newline = last.slice(0, 10).indexOf('\n');
      const kept = all.length <= 20 ? all : last.slice(newline === -1 ? 10 : newline + 1);
      expect((await said(chunks, 20))()).toBe(kept);
    }),
  );
});

test('half a secret is never at the beginning', async () => {
  const secret = 'a-secret-of-many-letters';
  for (let before = 0; before < 120; before++) {
    const tail = await said(['x'.repeat(before), secret, 'y'.repeat(90)], 100);
    expect(tail().replaceAll(secret, '')).toMatch(/^x*y*$/);
  }
});

test('a character in two pieces is one character', async () => {
  const stream = new PassThrough();
  const tail = stderrTail(stream);
  const bytes = Buffer.from('é');
  stream.write(bytes.subarray(0, 1));
  stream.write(bytes.subarray(1));
  const ended = new Promise((resolve) => stream.once('end', resolve));
  stream.end();
  await ended;
  expect(tail()).toBe('é');
});

test('unless told otherwise, 64 KiB are kept', async () => {
  const { length } = (await said(Array<string>(300).fill(`${'x'.repeat(999)}\n`)))();
  expect(length).toBeGreaterThan(63 * 1024);
  expect(length).toBeLessThanOrEqual(64 * 1024);
});

test('a broken stream breaks nothing else, and what was said is kept', async () => {
  const stream = new PassThrough();
  const tail = stderrTail(stream);
  const heard = new Promise((resolve) => stream.once('data', resolve));
  stream.write('last words');
  await heard;
  const closed = new Promise((resolve) => stream.once('close', resolve));
  stream.destroy(new Error('EPIPE'));
  await closed;
  expect(tail()).toBe('last words');
});
