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

test('the last words are kept, whatever pieces they came in', async () => {
  const chunk = fc.string({ unit: 'grapheme-ascii', maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { maxLength: 30 }), async (chunks) => {
      expect((await said(chunks, 10))()).toBe(chunks.join('').slice(-10));
    }),
  );
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
  const most = 64 * 1024;
  expect((await said(Array<string>(300).fill('x'.repeat(1000))))()).toHaveLength(most);
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
