import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRedactor } from '../../../src/secrets/redactor.ts';

const secret = 'p@ss "word"/\\ü+42';
const redact = createRedactor([secret]);
const mask = '[REDACTED]';

describe('a secret is masked', () => {
  test.each([
    ['as it is', secret],
    ['in JSON', JSON.stringify(secret).slice(1, -1)],
    ['in a URL', encodeURIComponent(secret)],
    ['in hex', Buffer.from(secret).toString('hex')],
    ['in upper-case hex', Buffer.from(secret).toString('hex').toUpperCase()],
    ['in base64', Buffer.from(secret).toString('base64')],
    ['in base64 for URLs', Buffer.from(secret).toString('base64url')],
  ])('%s', (_what, form) => {
    expect(redact(`before ${form} after ${form}`)).toBe(`before ${mask} after ${mask}`);
  });

  test('wherever it begins in a longer base64 text', () => {
    for (const before of ['', 'u', 'us', 'use', 'user', 'user:']) {
      for (const after of ['', '!', '!!', '!!!']) {
        const text = Buffer.from(`${before}${secret}${after}`).toString('base64');
        const masked = redact(text);
        expect(masked).toContain(mask);
        // At most the letters that the neighbours have a share in are left.
        const left = masked.split(mask).join('');
        expect(Buffer.from(left, 'base64').toString('latin1')).not.toContain('ss "wo');
        expect(left.length).toBeLessThan(Buffer.from(`${before}${after}`).toString('base64').length + 5);
      }
    }
  });

  test('as HTTP Basic says it', () => {
    const header = `Basic ${Buffer.from('user:hunter2hunter2').toString('base64')}`;
    expect(createRedactor(['hunter2hunter2'])(header)).toMatch(/^Basic dXNlcj\S*\[REDACTED\]\S{0,3}$/);
  });

  test('line by line, where it has several', () => {
    const key = '-----BEGIN KEY-----\nMIIEvQIBADANBg\r\nkqhkiG9w0BAQEF\n-----END KEY-----\n';
    const masked = createRedactor([key])(`[1] -----BEGIN KEY-----\n[2] MIIEvQIBADANBg\n[3] kqhkiG9w0BAQEF\n`);
    expect(masked).toBe(`[1] ${mask}\n[2] ${mask}\n[3] ${mask}\n`);
    expect(createRedactor([key])(`key: ${key.trimEnd()}`)).not.toMatch(/MIIE|kqhk/);
    expect(createRedactor([key])(JSON.stringify({ key }))).toBe(`{"key":"${mask}"}`);
  });

  test('as often as it stands there', () => {
    expect(createRedactor(['abcdef'])('abcdefabcdef abcdef')).toBe(`${mask}${mask} ${mask}`);
  });
});

describe('of several secrets', () => {
  test('the longest is masked first, so no tail is left', () => {
    for (const order of [
      ['secret', 'secret-and-more'],
      ['secret-and-more', 'secret'],
    ]) {
      expect(createRedactor(order)('secret-and-more secret')).toBe(`${mask} ${mask}`);
    }
  });

  test('texts that mean something to a regular expression are texts', () => {
    expect(createRedactor(['.*.*.*', 'a+b(c)[d]'])('abcdefg .*.*.* a+b(c)[d]')).toBe(
      `abcdefg ${mask} ${mask}`,
    );
    expect(createRedactor(['$&$&$&'])('x $&$&$& y')).toBe(`x ${mask} y`);
  });
});

describe('what is no secret stays', () => {
  test('short values', () => {
    const text = 'true 8080 12345 acme a';
    expect(createRedactor(['true', '8080', '12345', 'acme', 'a', ''])(text)).toBe(text);
    expect(createRedactor(['a\nb\nlonger-line'])('a b longer-line')).toBe(`a b ${mask}`);
  });

  test('no secrets, nothing to do', () => {
    expect(createRedactor([])('anything at all')).toBe('anything at all');
  });
});

test('no secret of six letters or more is left in any text', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 6, maxLength: 40, unit: 'binary-ascii' }),
      fc.string({ maxLength: 10 }),
      fc.string({ maxLength: 10 }),
      (value, before, after) => {
        // A secret that is part of the mask cannot but stand there.
        fc.pre(!mask.includes(value) && !value.includes('['));
        const masked = createRedactor([value])(`${before}${value}${after}`);
        expect(masked.replaceAll(mask, '\u0000\u0000')).not.toContain(value);
      },
    ),
  );
});
