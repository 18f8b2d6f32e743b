import { describe, expect, test } from 'vitest';
import { ProxyError } from '../../../src/calls/error.ts';
import {
  checkGetHeaders,
  checkGetVersion,
  checkPostHeaders,
  checkVersion,
  credentialsOf,
  header,
  namedTenantOf,
  requireSessionId,
  sessionIdOf,
} from '../../../src/http/mcp-headers.ts';
import { legacyVersions } from '../../../src/mcp/versions.ts';
import { requestWith } from './serving.ts';

const maxBody = 100;
const good = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'content-length': '10',
};

/** `passes`, or the code of the refusal. */
function verdict(check: () => void): string {
  try {
    check();
    return 'passes';
  } catch (thrown) {
    return thrown instanceof ProxyError ? thrown.code : String(thrown);
  }
}
const post = (own: Record<string, string>) =>
  verdict(() => checkPostHeaders(requestWith({ ...good, ...own }), maxBody));
const get = (headers: Record<string, string>) => verdict(() => checkGetHeaders(requestWith(headers)));

describe('a POST', () => {
  test('as the specification has it passes', () => {
    expect(post({})).toBe('passes');
  });

  test.each(['application/json; charset=utf-8', 'Application/JSON', 'application/json ;charset=utf-8'])(
    'of type %s is JSON',
    (type) => {
      expect(post({ 'content-type': type })).toBe('passes');
    },
  );

  test.each([
    '',
    'text/plain',
    'application/jsonp',
    'application/json-patch+json',
    'text/plain, application/json',
  ])('of type "%s" is none: a web page could send some of them without asking', (type) => {
    expect(post({ 'content-type': type })).toBe('UNSUPPORTED_MEDIA_TYPE');
  });

  test('that is packed is never unpacked', () => {
    for (const encoding of ['gzip', 'br', 'deflate', 'gzip, identity'])
      expect(post({ 'content-encoding': encoding })).toBe('UNSUPPORTED_MEDIA_TYPE');
    expect(post({ 'content-encoding': 'identity' })).toBe('passes');
  });

  test.each([
    'text/event-stream, application/json',
    'application/json;q=0.9, text/event-stream;q=0.1',
    '*/*',
    'application/*, text/*',
    'application/json, text/*',
  ])('from who accepts %s can be answered', (accept) => {
    expect(post({ accept })).toBe('passes');
  });

  test.each(['', 'application/json', 'text/event-stream', 'text/html', 'image/*', 'application/*'])(
    'from who accepts "%s" cannot',
    (accept) => {
      expect(post({ accept })).toBe('NOT_ACCEPTABLE');
    },
  );

  test('too large is refused before it is read, to the byte', () => {
    expect(post({ 'content-length': String(maxBody) })).toBe('passes');
    expect(post({ 'content-length': String(maxBody + 1) })).toBe('TOO_LARGE');
  });

  test('without a length is not known to be too large', () => {
    const chunked = { 'content-type': good['content-type'], accept: good.accept };
    expect(verdict(() => checkPostHeaders(requestWith(chunked), maxBody))).toBe('passes');
  });
});

test('a GET is for an event stream', () => {
  for (const accept of ['text/event-stream', 'text/*', '*/*']) expect(get({ accept })).toBe('passes');
  for (const accept of ['', 'application/json', 'text/html']) expect(get({ accept })).toBe('NOT_ACCEPTABLE');
  const weighed = [
    'text/event-stream; q=0.5',
    'text/*;q=0, text/event-stream',
    '*/*, text/html;q=0',
    '*/*;q=0.001',
    'Text/Event-Stream',
    '*/*;q=0, text/event-stream ; q=0.5',
  ];
  for (const accept of weighed) expect(get({ accept })).toBe('passes');
  const refusing = [
    'text/event-stream;q=0',
    'TEXT/event-stream ; Q=0.000',
    '*/*, text/event-stream;q=0',
    'text/*;q=0, */*',
    '*/*;q=0',
    'text/html;q=0',
  ];
  for (const accept of refusing) expect(get({ accept })).toBe('NOT_ACCEPTABLE');
  expect(get({})).toBe('NOT_ACCEPTABLE');
});

test('the revision may be left out; if it is named it must be one that is spoken', () => {
  const check = (version: string) =>
    verdict(() => checkVersion(requestWith({ 'mcp-protocol-version': version })));
  for (const version of legacyVersions) expect(check(version)).toBe('passes');
  for (const version of ['', '1.0', '2099-01-01', legacyVersions.join(', ')])
    expect(check(version)).toBe('INVALID_REQUEST');
  expect(verdict(() => checkVersion(requestWith({})))).toBe('passes');
});

test('a session id must be there where it is needed', () => {
  const request = requestWith({ 'mcp-session-id': 'abc' });
  expect(requireSessionId(request)).toBe('abc');
  expect(sessionIdOf(request)).toBe('abc');
  expect(sessionIdOf(requestWith({}))).toBeUndefined();
  expect(verdict(() => requireSessionId(requestWith({})))).toBe('INVALID_REQUEST');
});

test('a header that is not there is undefined, and one that may come often is none of ours', () => {
  expect(header(requestWith({ 'x-api-key': 'k' }), 'x-api-key')).toBe('k');
  expect(header(requestWith({}), 'x-api-key')).toBeUndefined();
  const many = requestWith({});
  many.headers['set-cookie'] = ['a', 'b'];
  expect(header(many, 'set-cookie')).toBeUndefined();
});

test('GET and DELETE are of the legacy era, and other revisions are none', () => {
  const versionOf = (headers: Record<string, string>) => verdict(() => checkGetVersion(requestWith(headers)));
  expect(versionOf({})).toBe('passes');
  for (const version of legacyVersions) expect(versionOf({ 'mcp-protocol-version': version })).toBe('passes');
  expect(versionOf({ 'mcp-protocol-version': '2026-07-28' })).toBe('METHOD_NOT_ALLOWED');
  expect(versionOf({ 'mcp-protocol-version': '1999-01-01' })).toBe('INVALID_REQUEST');
});

test('who asks is in two headers, and comes from an address; which tenant it thinks it is of, in a third', () => {
  const request = requestWith({ authorization: 'Bearer a', 'x-api-key': 'b', 'x-tenant-id': 'acme' });
  expect(credentialsOf(request, '192.0.2.1')).toEqual({
    authorization: 'Bearer a',
    apiKey: 'b',
    remote: '192.0.2.1',
  });
  expect(namedTenantOf(request)).toBe('acme');
  expect(credentialsOf(requestWith({}), '')).toEqual({
    authorization: undefined,
    apiKey: undefined,
    remote: '',
  });
  expect(namedTenantOf(requestWith({}))).toBeUndefined();
});
