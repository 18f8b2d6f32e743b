import { describe, expect, test } from 'vitest';
import { createPostReply, type PostReply } from '../../../src/http/post-reply.ts';
import { begin, eventOf, fetched, pledge, serve } from './serving.ts';

const answerTo = (...uses: ((reply: PostReply) => void)[]) =>
  fetched((_request, response) => {
    const reply = createPostReply(response, { extra: () => ({ 'mcp-session-id': 'abc' }), session: nobody });
    for (const use of uses) use(reply);
  });
const nobody = () => undefined;
const pieces = (...texts: string[]) => texts.map((text) => Buffer.from(text));
const json = 'application/json';
const events = 'text/event-stream';

describe('an answer with nothing before it', () => {
  test('is plain JSON, in one piece or many', async () => {
    for (const parts of [
      pieces('{"é":12345678901234567890}'),
      pieces('{"é":', '1234567890', '1234567890}'),
    ]) {
      const { statusCode, headers, body } = await answerTo((reply) => reply.finish([parts], false));
      expect(statusCode).toBe(200);
      expect(headers).toMatchObject({ 'content-type': json, 'mcp-session-id': 'abc' });
      expect(headers['content-length']).toBe(String(Buffer.byteLength(body)));
      expect(body).toBe('{"é":12345678901234567890}');
    }
  });

  test('of a batch is a list, even of one', async () => {
    for (const answers of [[pieces('{"id":', '1}')], [pieces('{"id":1}'), pieces('{"id"', ':2}')]]) {
      const { headers, body } = await answerTo((reply) => reply.finish(answers, true));
      expect(headers['content-type']).toBe(json);
      expect(JSON.parse(body)).toEqual(answers.map((_answer, at) => ({ id: at + 1 })));
    }
  });
});

describe('an answer after other news', () => {
  test('is the last event of a stream', async () => {
    const { statusCode, headers, body } = await answerTo(
      (reply) => reply.tell(pieces('{"progress":', '1}')),
      (reply) => reply.tell(pieces('{"progress":2}')),
      (reply) => reply.finish([pieces('{"id":1}')], false),
    );
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({ 'content-type': events, 'mcp-session-id': 'abc' });
    expect(body).toBe(['{"progress":1}', '{"progress":2}', '{"id":1}'].map(eventOf).join(''));
  });

  test('of a batch is one event each', async () => {
    const { body } = await answerTo(
      (reply) => reply.tell(pieces('{}')),
      (reply) => reply.finish([pieces('{"id":1}'), pieces('{"id":2}')], true),
    );
    expect(body).toBe(['{}', '{"id":1}', '{"id":2}'].map(eventOf).join(''));
  });

  test('is known to be one from the first word on', async () => {
    const said: boolean[] = [];
    await answerTo(
      (reply) => said.push(reply.isStream()),
      (reply) => reply.tell(pieces('{}')),
      (reply) => said.push(reply.isStream()),
      (reply) => reply.finish([pieces('{"id":1}')], false),
    );
    expect(said).toEqual([false, true]);
  });

  test('a sign of life is enough to make it a stream', async () => {
    const { headers, body } = await answerTo(
      (reply) => reply.stayAwake(),
      (reply) => reply.finish([pieces('{"id":1}')], false),
    );
    expect(headers['content-type']).toBe(events);
    expect(body.startsWith(':')).toBe(true);
    expect(body.endsWith(`\n\n${eventOf('{"id":1}')}`)).toBe(true);
  });
});

test('a cancelled call gets an end, and no answer', async () => {
  const { statusCode, headers, body } = await answerTo((reply) => reply.abandon());
  expect(statusCode).toBe(200);
  expect(headers['content-type']).toBe(events);
  expect(body).toBe('');
});

test('after the end nothing more is said', async () => {
  const afterwards = (reply: PostReply) => {
    reply.tell(pieces('{}'));
    reply.stayAwake();
    reply.abandon();
    reply.finish([pieces('{"id":2}')], false);
  };
  expect((await answerTo((reply) => reply.finish([pieces('{"id":1}')], false), afterwards)).body).toBe(
    '{"id":1}',
  );
  expect((await answerTo((reply) => reply.abandon(), afterwards)).body).toBe('');
});

test('a client that is gone is told nothing, and nothing breaks', async () => {
  const created = pledge<PostReply>();
  const gone = pledge();
  const port = await serve((_request, response) => {
    created.resolve(createPostReply(response, { extra: () => ({}), session: nobody }));
    response.once('close', () => gone.resolve(undefined));
  });
  const request = begin(port);
  request.end();
  const reply = await created.promise;
  request.destroy();
  await gone.promise;
  reply.tell(pieces('{}'));
  reply.stayAwake();
  reply.abandon();
  reply.finish([pieces('{"id":1}')], false);
});
