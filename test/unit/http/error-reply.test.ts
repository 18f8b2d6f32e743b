import { describe, expect, test } from 'vitest';
import { type ErrorCode, errorCodes, ProxyError } from '../../../src/calls/error.ts';
import { errorBody, sendError } from '../../../src/http/error-reply.ts';
import { fetched } from './serving.ts';

const codes = Object.keys(errorCodes) as ErrorCode[];

describe('the JSON-RPC error', () => {
  test.each(['1', '"1"', '"é"', '12345678901234567890', 'null'])('has the request’s own id %s', (id) => {
    // One character per byte, as `textOf` gives it.
    const text = Buffer.from(id).toString('latin1');
    const body = errorBody(new ProxyError('CRASHED', 'Größe'), text).toString();
    expect(body.startsWith(`{"jsonrpc":"2.0","id":${id},"error":{`)).toBe(true);
    expect(JSON.parse(body)).toMatchObject({ error: { message: 'Größe' } });
  });

  test('has no id where there is none, for revisions that have no `null`', () => {
    const body = errorBody(new ProxyError('PARSE_ERROR', 'Why'), undefined).toString();
    expect(body.startsWith('{"jsonrpc":"2.0","error":{')).toBe(true);
  });

  test.each(codes)('%s says what it is, and if asking again is safe', (code) => {
    const body = JSON.parse(errorBody(new ProxyError(code, 'Why'), '1').toString()) as object;
    const { rpc, executed, retryable } = errorCodes[code];
    expect(body).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: rpc, message: 'Why', data: { source: 'proxy', code, executed, retryable } },
    });
  });

  test('says which request it is about, where that is known', () => {
    const error = new ProxyError('TIMED_OUT', 'Why', { executed: 'no' }).withRequestId('r7');
    expect(JSON.parse(errorBody(error, '1').toString())).toMatchObject({
      error: { data: { requestId: 'r7', executed: 'no' } },
    });
  });

  test('shows nothing of the cause', () => {
    const error = ProxyError.from(new Error('s3cret'));
    expect(errorBody(error, '1').toString()).not.toContain('s3cret');
  });
});

describe('the HTTP response', () => {
  const sent = (error: ProxyError, id = 'null', extra: Record<string, string> = {}) =>
    fetched((_request, response) => sendError(response, error, id, extra));

  test('has the status of its code', async () => {
    for (const code of codes) {
      const { statusCode, headers, body } = await sent(new ProxyError(code, 'Größe'));
      expect(statusCode).toBe(errorCodes[code].http);
      expect(headers['content-type']).toBe('application/json');
      expect(headers['content-length']).toBe(String(Buffer.byteLength(body)));
      expect(JSON.parse(body)).toMatchObject({ id: null, error: { message: 'Größe' } });
    }
  });

  test('says in whole seconds when to come back, never at once', async () => {
    for (const [retryAfterMs, seconds] of [
      [0, '1'],
      [1000, '1'],
      [1001, '2'],
      [59_500, '60'],
    ] as const) {
      const { headers } = await sent(new ProxyError('UNAVAILABLE', '', { retryAfterMs }));
      expect(headers['retry-after']).toBe(seconds);
    }
    expect((await sent(new ProxyError('UNAVAILABLE', ''))).headers).not.toHaveProperty('retry-after');
  });

  test('asks a stranger for a key, and nobody else', async () => {
    expect((await sent(new ProxyError('UNAUTHENTICATED', ''))).headers['www-authenticate']).toMatch(
      /^Bearer /,
    );
    expect((await sent(new ProxyError('FORBIDDEN', ''))).headers).not.toHaveProperty('www-authenticate');
  });

  test('of a proxy that is about to stop ends the connection', async () => {
    expect((await sent(new ProxyError('DRAINING', ''))).headers.connection).toBe('close');
  });

  test('may have an id and headers of its own, which do not change what it is', async () => {
    const extra = { allow: 'POST', 'content-type': 'text/html' };
    const { headers, body } = await sent(new ProxyError('METHOD_NOT_ALLOWED', ''), '"x"', extra);
    expect(headers).toMatchObject({ allow: 'POST', 'content-type': 'application/json' });
    expect(JSON.parse(body)).toMatchObject({ id: 'x' });
  });

  test('that has begun already is ended, for there is no status left to say no with', async () => {
    const { statusCode, body } = await fetched((_request, response) => {
      response.write('half');
      sendError(response, new ProxyError('CRASHED', ''), 'null');
    });
    expect(statusCode).toBe(200);
    expect(body).toBe('half');
  });
});
