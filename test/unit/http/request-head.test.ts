import { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { checkHead, toOriginForm } from '../../../src/http/request-head.ts';
import { requestWith } from './serving.ts';

/** `passes`, or why not, and whether the connection is kept. */
function verdict(headers: Readonly<Record<string, string>>, rawHeaders: readonly string[] = []) {
  const request = requestWith(headers);
  request.rawHeaders = [...rawHeaders];
  const response = new ServerResponse(request);
  response.shouldKeepAlive = true;
  try {
    checkHead(request, response);
    return ['passes', response.shouldKeepAlive];
  } catch (thrown) {
    return [(thrown as Error).message, response.shouldKeepAlive];
  }
}

describe('the head of a request', () => {
  test('has one Host, however it is written', () => {
    expect(verdict({}, ['Host', 'a', 'X-Host', 'b', 'Hosts', 'c', 'Any', 'host'])).toEqual(['passes', true]);
    for (const second of ['Host', 'host', 'HOST'])
      expect(verdict({}, ['Host', 'a', 'X', 'y', second, 'a'])).toEqual(['Send one Host header', false]);
  });

  test('has no Transfer-Encoding but chunked', () => {
    for (const coding of ['chunked', 'Chunked'])
      expect(verdict({ 'transfer-encoding': coding })).toEqual(['passes', true]);
    for (const coding of ['gzip, chunked', 'chunked, chunked', 'identity', ''])
      expect(verdict({ 'transfer-encoding': coding })).toEqual([
        expect.stringContaining('Transfer-Encoding'),
        false,
      ]);
  });
});

test.each([
  ['/mcp', '/mcp', 'here'],
  ['//mcp', '//mcp', 'here'],
  ['/http://there/mcp', '/http://there/mcp', 'here'],
  ['http://there/mcp', '/mcp', 'there'],
  ['HTTPS://there:81/mcp/files?a=http://b/c', '/mcp/files?a=http://b/c', 'there:81'],
  ['http://there', '/', 'there'],
  ['http://there?a=b', '/?a=b', 'there'],
  ['http://somebody@localhost/mcp', '/mcp', 'somebody@localhost'],
  ['http:///mcp', '/mcp', ''],
  ['ftp://there/mcp', 'ftp://there/mcp', 'here'],
  ['*', '*', 'here'],
])('the target %s is %s at the host it names', (target, path, host) => {
  const request = requestWith({ host: 'here' });
  request.url = target;
  toOriginForm(request);
  expect([request.url, request.headers.host]).toEqual([path, host]);
});
