import { describe, expect, test } from 'vitest';
import { ProxyError } from '../../../src/calls/error.ts';
import { checkMirrored, checkStandardHeaders } from '../../../src/http/mirrored-headers.ts';
import { readMessage } from '../../../src/mcp/message.ts';
import { messageOf } from '../calls/some-call.ts';
import { requestWith } from './serving.ts';

type Headers = Readonly<Record<string, string>>;

/** `passes`, or what is said of it; anything but HEADER_MISMATCH fails the test. */
function verdict(check: () => void): string {
  try {
    check();
    return 'passes';
  } catch (thrown) {
    if (thrown instanceof ProxyError && thrown.code === 'HEADER_MISMATCH') return thrown.message;
    throw thrown;
  }
}
const requestOf = (method: string, params?: object) =>
  messageOf({ id: 1, method, ...(params && { params }) });
const base64 = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`;

describe('the standard headers', () => {
  const standard = (method: string, params: object | undefined, headers: Headers) => {
    const own = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...headers };
    const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== ''));
    return verdict(() => checkStandardHeaders(requestWith(given), requestOf(method, params)));
  };
  const call = (name: unknown, headers: Headers) => standard('tools/call', { name }, headers);

  test('must be there', () => {
    expect(standard('tools/list', {}, {})).toBe('passes');
    expect(standard('tools/list', {}, { 'mcp-protocol-version': '' })).toBe(
      'MCP-Protocol-Version is missing',
    );
    expect(standard('tools/list', {}, { 'mcp-method': '' })).toBe('Mcp-Method is missing');
  });

  test.each([
    ['tools/call', { name: 'add' }, 'add'],
    ['prompts/get', { name: 'greet' }, 'greet'],
    ['resources/read', { uri: 'test://a' }, 'test://a'],
  ])('of %s name what %j is about', (method, params, name) => {
    expect(standard(method, params, { 'mcp-name': name })).toBe('passes');
    expect(standard(method, params, { 'mcp-name': base64(name) })).toBe('passes');
    expect(standard(method, params, {})).toBe('Mcp-Name is missing');
    expect(standard(method, params, { 'mcp-name': `${name}2` })).toContain('Mcp-Name is not');
    expect(standard(method, params, { 'mcp-name': name.toUpperCase() })).toContain('Mcp-Name is not');
  });

  test('of other methods name nothing, and what they name all the same is not looked at', () => {
    expect(standard('tools/list', { name: 'add' }, {})).toBe('passes');
    expect(standard('completion/complete', { uri: 'x' }, { 'mcp-name': 'y' })).toBe('passes');
  });

  test.each([undefined, 7, null, {}, ['add']])(
    'of a call without a name (%j) pass: its server refuses it',
    (name) => {
      expect(call(name, { 'mcp-name': 'add' })).toBe('passes');
    },
  );

  test.each(['é', 'Łódź 😀', ' add', 'add ', 'a\nb', '=?base64?YWRk?=', ''])(
    'can name %j, in Base64',
    (name) => {
      expect(call(name, { 'mcp-name': base64(name) })).toBe('passes');
    },
  );

  test.each([
    ['no Base64', '=?base64?YW Rk?='],
    ['no padding', '=?base64?YWRkZA?='],
    ['too much padding', '=?base64?YWRk====?='],
    ['characters of another alphabet', '=?base64?YW-_?='],
    ['loose bits at the end', '=?base64?YWRkZB==?='],
    ['no UTF-8', '=?base64?/////w==?='],
    ['the mark in capitals', '=?BASE64?YWRk?='],
    ['bytes that must be encoded', '\u00e9'],
  ])('with %s are refused', (_what, text) => {
    const decoded = Buffer.from(text.slice(9, -2), 'base64').toString();
    expect(call(decoded, { 'mcp-name': text })).toContain('Mcp-Name is not');
    expect(call('é', { 'mcp-name': text })).toContain('Mcp-Name is not');
  });
});

describe('parameters that headers repeat', () => {
  const region = { header: 'mcp-param-region', path: ['region'] };
  const deep = { header: 'mcp-param-deep', path: ['a', 'b'] };
  const mirrored = (args: unknown, headers: Headers, parameters = [region]) =>
    verdict(() => {
      const message = requestOf('tools/call', { name: 'add', arguments: args });
      checkMirrored(requestWith(headers), message)(parameters);
    });
  const said = (value: unknown, text: string) => mirrored({ region: value }, { 'mcp-param-region': text });

  test.each([
    ['eu', 'eu'],
    ['', ''],
    ['é', base64('é')],
    ['eu', base64('eu')],
    [true, 'true'],
    [false, 'false'],
    [42, '42'],
    [42, '42.0'],
    [42, '4.2e1'],
    [-0.5, '-0.5'],
    [0, '-0'],
  ])('%j may be said as %s', (value, text) => {
    expect(said(value, text)).toBe('passes');
  });

  test.each([
    ['eu', 'us'],
    ['eu', 'EU'],
    ['é', 'é'],
    ['eu', '=?base64?!!!?='],
    [true, 'false'],
    [true, '1'],
    [42, '43'],
    [42, ''],
    [42, '0x2a'],
    [42, '+42'],
    [42, '42px'],
    [42, 'Infinity'],
    ['42', '42.0'],
  ])('%j must not be said as %s', (value, text) => {
    expect(said(value, text)).toContain('mcp-param-region is not');
  });

  test.each([
    ['9007199254740993', '9007199254740993', 'passes'],
    ['-9007199254740993', '-9007199254740993', 'passes'],
    ['1e400', '1e400', 'passes'],
    ['1.5e300', '1.5e300', 'passes'],
    ['9007199254740991', '9007199254740991.0', 'passes'],
    ['9007199254740993', '9007199254740992', 'is not'],
    ['9007199254740992', '9007199254740993', 'is not'],
    ['9007199254740993', '9007199254740993.0', 'is not'],
    ['1e400', '1e401', 'is not'],
  ])('%s, which may be too large to be told from others, said as %s: %s', (value, text, said) => {
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{"b":1,"a":{"b":${value}}}}}`;
    const request = requestWith({ 'mcp-param-deep': text });
    const check = checkMirrored(request, readMessage(Buffer.from(body)));
    expect(verdict(() => check([deep]))).toContain(said);
  });

  test('must be repeated if the call has them', () => {
    expect(mirrored({ region: 'eu' }, {})).toContain('mcp-param-region is missing');
    expect(mirrored({ region: false }, {})).toContain('missing');
    expect(mirrored({ region: 0 }, {})).toContain('missing');
    expect(mirrored({ region: '' }, {})).toContain('missing');
  });

  test.each([undefined, {}, { region: null }, null, 7, 'region', []])(
    'need not be if it has not (%j)',
    (args) => {
      expect(mirrored(args, {})).toBe('passes');
      expect(mirrored(args, { 'mcp-param-region': 'eu' })).toBe('passes');
    },
  );

  test.each([{ eu: 1 }, ['eu'], []])('%j can be said in no header: its server has the word', (value) => {
    expect(mirrored({ region: value }, {})).toBe('passes');
    expect(said(value, 'anything')).toBe('passes');
  });

  test('are found at any depth, and never in what every object has', () => {
    expect(mirrored({ a: { b: 'x' } }, { 'mcp-param-deep': 'x' }, [deep])).toBe('passes');
    expect(mirrored({ a: { b: 'x' } }, {}, [deep])).toContain('missing');
    expect(mirrored({ a: 'x' }, {}, [deep])).toBe('passes');
    const inherited = { header: 'mcp-param-x', path: ['constructor', 'name'] };
    expect(mirrored({}, {}, [inherited])).toBe('passes');
  });

  test('are all checked, and what the call says stands in no error', () => {
    const headers = { 'mcp-param-region': 'eu', 'mcp-param-deep': 's3cret-header' };
    const text = mirrored({ region: 'eu', a: { b: 's3cret-value' } }, headers, [region, deep]);
    expect(text).toBe('mcp-param-deep is not what the call says');
  });
});
