import { expect, test } from 'vitest';
import { readBody } from '../../../src/http/read-body.ts';
import { begin, pledge, serve } from './serving.ts';

const maxBytes = 1000;

/** A server that reads one body, and the way to it. */
async function createReader() {
  const { promise, resolve } = pledge<Buffer | Error>();
  const heard = pledge();
  const port = await serve((request, response) => {
    request.once('data', () => heard.resolve(undefined));
    void readBody(request, maxBytes)
      .catch((thrown: unknown) => thrown as Error)
      .then((body) => {
        resolve(body);
        response.end();
      });
  });
  return { body: promise, heard: heard.promise, post: () => begin(port, { method: 'POST' }) };
}

test('a body in one piece', async () => {
  const { body, post } = await createReader();
  post().end('{"é":1}');
  expect(String(await body)).toBe('{"é":1}');
});

test('a body in pieces, cut inside a character', async () => {
  const { body, heard, post } = await createReader();
  const bytes = Buffer.from('"é"');
  const request = post();
  request.write(bytes.subarray(0, 2));
  // Only then is it sure to come as a piece of its own.
  await heard;
  request.end(bytes.subarray(2));
  expect(String(await body)).toBe('"é"');
});

test('no body', async () => {
  const { body, post } = await createReader();
  post().end();
  expect(await body).toEqual(Buffer.alloc(0));
});

test('a body may be as large as the bound', async () => {
  const { body, post } = await createReader();
  post().end(Buffer.alloc(maxBytes, 'x'));
  expect((await body).toString()).toHaveLength(maxBytes);
});

test('one byte more is too large, be it announced or not', async () => {
  for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
    const { body, post } = await createReader();
    const request = post();
    for (const [name, value] of Object.entries(headers)) request.setHeader(name, value);
    request.end(Buffer.alloc(maxBytes + 1, 'x'));
    expect(await body).toMatchObject({ code: 'TOO_LARGE', executed: 'no' });
  }
});

test('a body without an end is refused as soon as it is too large', async () => {
  const { body, post } = await createReader();
  const request = post();
  request.write(Buffer.alloc(maxBytes + 1, 'x'));
  expect(await body).toMatchObject({ code: 'TOO_LARGE' });
  request.destroy();
});

test('a client that goes away before the end has sent nothing', async () => {
  const { body, heard, post } = await createReader();
  const request = post();
  request.setHeader('content-length', '100');
  request.write('{"jsonrpc"');
  await heard;
  request.destroy();
  expect(await body).toMatchObject({ code: 'INVALID_REQUEST', executed: 'no' });
});
