import { type IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { createCors } from '../../../src/http/cors.ts';
import { requestWith } from './serving.ts';

const page = 'https://app.example';
const cors = createCors(['https://App.example', 'https://second.example']);

/** The answer so far to a request with these headers, and whether it was a preflight. */
function answered(headers: Readonly<Record<string, string>>, method = 'OPTIONS') {
  const request: IncomingMessage = requestWith(headers);
  request.method = method;
  const response = new ServerResponse(request);
  cors.allow(request, response);
  const isPreflight = cors.preflight(request, response);
  return { isPreflight, response, headers: response.getHeaders() };
}

const asking = (more: Readonly<Record<string, string>> = {}) => ({
  origin: page,
  'access-control-request-method': 'POST',
  ...more,
});
const namesIn = (headers: unknown) => String(headers).split(', ');

describe('to an allowed page', () => {
  test('each answer is by its name, and says what it may read', () => {
    for (const origin of [page, 'https://second.example']) {
      const { headers, isPreflight } = answered({ origin }, 'POST');
      expect(isPreflight).toBe(false);
      expect(headers).toEqual({
        'access-control-allow-origin': origin,
        'access-control-expose-headers': 'Mcp-Session-Id, WWW-Authenticate, Retry-After',
        vary: 'Origin',
      });
    }
  });

  test('a preflight is answered with what MCP clients send', () => {
    const { isPreflight, response, headers } = answered(asking());
    expect([isPreflight, response.statusCode, response.writableEnded]).toEqual([true, 204, true]);
    expect(headers).toMatchObject({
      'access-control-allow-origin': page,
      'access-control-allow-methods': 'POST, GET, DELETE',
      'access-control-max-age': '7200',
      vary: 'Origin',
    });
    const sent = ['authorization', 'x-api-key', 'content-type', 'accept', 'last-event-id'];
    const ofMcp = ['mcp-session-id', 'mcp-protocol-version', 'mcp-method', 'mcp-name'];
    expect(namesIn(headers['access-control-allow-headers'])).toEqual(
      expect.arrayContaining([...sent, ...ofMcp]),
    );
  });

  test('headers that mirror parameters are allowed by their names, others are not', () => {
    const asked = 'mcp-param-city, Mcp-Param-Due-Date,cookie, mcp-param-, x-mcp-param-a, mcp-param-a b, *';
    const { headers } = answered(asking({ 'access-control-request-headers': asked }));
    const names = namesIn(headers['access-control-allow-headers']);
    expect(names.filter((name) => /param|cookie|\*/i.test(name))).toEqual([
      'mcp-param-city',
      'Mcp-Param-Due-Date',
    ]);
  });

  test('OPTIONS that asks for no method is no preflight', () => {
    expect(answered({ origin: page }).isPreflight).toBe(false);
  });
});

test.each(['https://other.example', 'http://app.example', 'http://localhost', 'null', '*', ''])(
  'a page from "%s" is told nothing',
  (origin) => {
    expect(answered(asking({ origin }))).toMatchObject({ isPreflight: false, headers: {} });
  },
);

test('who is no browser is told nothing', () => {
  expect(answered({ 'access-control-request-method': 'POST' })).toMatchObject({
    isPreflight: false,
    headers: {},
  });
});
