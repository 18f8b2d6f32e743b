import { type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type EventStream, openEventStream, prime } from '../../../src/http/event-stream.ts';
import { begin, eventOf, fetched, pledge, responseOf, serve } from './serving.ts';

const MiB = 1024 * 1024;

/** A stream and the client that listens to it. */
async function connect() {
  const opened = pledge<{ stream: EventStream; response: ServerResponse }>();
  const port = await serve((_request, response) => {
    const stream = openEventStream(response);
    stream.flush();
    opened.resolve({ stream, response });
  });
  const request = begin(port);
  request.end();
  const heard = await responseOf(request);
  return { ...(await opened.promise), heard, request };
}

test('is open before anything is said, and says that nobody may keep or change it', async () => {
  const { heard, stream } = await connect();
  expect(heard.statusCode).toBe(200);
  expect(heard.headers).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  });
  stream.close();
});

test('each message is one event, in order, byte for byte', async () => {
  const messages = ['{"a":"é"}', '{"b":12345678901234567890}', '{"c":"\\n"}'];
  const { body } = await fetched((_request, response) => {
    const stream = openEventStream(response);
    for (const message of messages) {
      const bytes = Buffer.from(message);
      // In pieces, cut inside a character: they are one message all the same.
      expect(stream.write([bytes.subarray(0, 7), bytes.subarray(7)])).toBe(true);
    }
    stream.close();
  });
  expect(body).toBe(messages.map(eventOf).join(''));
});

test('what begins and ends in one turn has a length, and what goes on has none', async () => {
  const whole = await fetched((_request, response) => {
    const stream = openEventStream(response);
    stream.write([Buffer.from('{"a":"é"}')]);
    stream.close();
  });
  expect(whole.headers['content-length']).toBe(String(Buffer.byteLength(whole.body)));
  const { heard, stream } = await connect();
  stream.write([Buffer.from('{}')]);
  await turn();
  stream.write([Buffer.from('{"b":2}')]);
  stream.close();
  expect(heard.headers).toMatchObject({ 'transfer-encoding': 'chunked' });
  expect(await text(heard)).toBe(eventOf('{}') + eventOf('{"b":2}'));
});

test('small and large ones of one turn stay in order', async () => {
  const messages = ['{"a":1}', `{"b":"${'x'.repeat(70_000)}"}`, '{"c":3}', `{"d":"${'y'.repeat(60_000)}"}`];
  const { body } = await fetched((_request, response) => {
    const stream = openEventStream(response);
    stream.comment('first');
    for (const message of messages) stream.write([Buffer.from(message)]);
    stream.close();
  });
  expect(body).toBe(`: first\n\n${messages.map(eventOf).join('')}`);
});

test('an event arrives although the stream stays open', async () => {
  const { heard, stream } = await connect();
  stream.write([Buffer.from('{}')]);
  let arrived = '';
  for await (const chunk of heard) {
    arrived += String(chunk);
    if (arrived.length >= eventOf('{}').length) break;
  }
  expect(arrived).toBe(eventOf('{}'));
});

test('may have headers of its own', async () => {
  const { headers } = await fetched((_request, response) => {
    openEventStream(response, { 'mcp-session-id': 'abc' }).close();
  });
  expect(headers['mcp-session-id']).toBe('abc');
});

test('an event may have an id, by which a client can go on from there', async () => {
  const { body } = await fetched((_request, response) => {
    const stream = openEventStream(response);
    stream.write([Buffer.from('{}')], 'a-1');
    stream.close();
  });
  expect(body).toBe(`id: a-1\n${eventOf('{}')}`);
});

test('a beginning has an id, no data, and says when to come again', async () => {
  const { body } = await fetched((_request, response) => {
    const stream = openEventStream(response);
    prime(stream, 'a-0', 1500);
    stream.close();
  });
  expect(body).toBe('id: a-0\nretry: 1500\ndata: \n\n');
});

test('a sign of life is no event', async () => {
  const { body } = await fetched((_request, response) => {
    const stream = openEventStream(response);
    stream.comment();
    stream.write([Buffer.from('{}')]);
    stream.close();
  });
  expect(body).toMatch(/^:[^\n]*\n\n/);
  expect(body.replace(/^:[^\n]*\n\n/, '')).toBe(eventOf('{}'));
});

test('once closed takes nothing more', async () => {
  const { heard, stream } = await connect();
  stream.close();
  stream.close();
  stream.comment();
  expect(stream.write([Buffer.from('{}')])).toBe(false);
  expect(await text(heard)).toBe('');
});

test('whose client is gone takes nothing more', async () => {
  const { request, response, stream } = await connect();
  const closed = new Promise((resolve) => response.once('close', resolve));
  request.destroy();
  await closed;
  expect(stream.write([Buffer.from('{}')])).toBe(false);
  stream.comment();
  stream.close();
});

test('a reader that does not keep up is cut off, rather than kept in memory', async () => {
  const { heard, response, stream } = await connect();
  heard.pause();
  heard.on('error', () => undefined);
  const closed = new Promise((resolve) => response.once('close', resolve));
  const message = [Buffer.alloc(MiB, 'x')];
  const mostMessages = 32;
  let taken = 0;
  while (taken < mostMessages && stream.write(message)) {
    taken++;
    await turn();
  }
  expect(taken).toBeGreaterThan(4);
  expect(taken).toBeLessThan(mostMessages);
  await closed;
  expect(response.writableFinished).toBe(false);
});

test('nor is one kept in memory whose messages are large', async () => {
  const { heard, response, stream } = await connect();
  heard.pause();
  heard.on('error', () => undefined);
  const message = [Buffer.alloc(12 * MiB, 'x')];
  let taken = 0;
  while (taken < 8 && stream.write(message)) {
    taken++;
    await turn();
  }
  expect(taken).toBeLessThan(5);
  expect(response.destroyed).toBe(true);
});

test('a reader is not cut off because much is said before it can have read any of it', async () => {
  const { heard, stream } = await connect();
  const large = [Buffer.alloc(9 * MiB, 'x')];
  // In one turn, and in the next, when most of it is on its way still.
  for (const message of [large, large, [Buffer.from('{"a":1}')]]) expect(stream.write(message)).toBe(true);
  await turn();
  expect(stream.write([Buffer.from('{"b":2}')])).toBe(true);
  stream.close();
  const body = await text(heard);
  expect(body.endsWith(eventOf('{"a":1}') + eventOf('{"b":2}'))).toBe(true);
  expect(body.length).toBeGreaterThan(18 * MiB);
});
