import { describe, expect, test } from 'vitest';
import { createLogger } from '../../../../src/servers/kit/logger.ts';
import { createRedactor } from '../../../../src/servers/kit/redactor.ts';

const secret = 'p@ss "wörd"/+1';

test('what was known from the start stays masked, however many tokens come and go', () => {
  const redact = createRedactor(['the-client-secret']);
  for (let at = 0; at < 2_000; at++) redact.add(`token-number-${at}`);
  expect(redact('the-client-secret, token-number-1999')).toBe('[REDACTED], [REDACTED]');
});

describe('the redactor', () => {
  const redact = createRedactor([secret]);

  test.each([
    ['as it is', secret],
    ['in JSON', JSON.stringify(secret).slice(1, -1)],
    ['in a URL', encodeURIComponent(secret)],
    ['in a form', new URLSearchParams({ a: secret }).toString().slice(2)],
    ['in base64', Buffer.from(secret).toString('base64')],
    ['in hex', Buffer.from(secret).toString('hex')],
  ])('masks a secret %s', (_what, form) => {
    expect(redact(`before ${form} after`)).toBe('before [REDACTED] after');
  });

  test('leaves no tail of the longer of two secrets', () => {
    expect(createRedactor(['abcdefgh', 'abcdefghij'])('abcdefghij')).toBe('[REDACTED]');
  });

  test('learns tokens as they come, and does not mask the word true', () => {
    const learning = createRedactor(['true']);
    learning.add('1000.aaaa.bbbb');
    expect(learning('true 1000.aaaa.bbbb')).toBe('true [REDACTED]');
  });

  test('does not grow without end', () => {
    const learning = createRedactor();
    for (let n = 0; n < 2_000; n++) learning.add(`token-number-${n}`);
    expect(learning('token-number-1999')).toBe('[REDACTED]');
    expect(learning('token-number-0')).toBe('token-number-0');
  });
});

describe('the log', () => {
  function logged(level: 'debug' | 'info' | 'silent'): {
    lines: string[];
    log: ReturnType<typeof createLogger>;
  } {
    const lines: string[] = [];
    const redact = createRedactor([secret]);
    const write = (line: string): void => void lines.push(line);
    return { lines, log: createLogger({ name: 'kit', level, redact, write, wall: () => 0 }) };
  }

  test('is one JSON line per event', () => {
    const { lines, log } = logged('info');
    log.info('pages.read', 'Retrieved 25 companies', { pages: 1 });
    expect(lines).toEqual([
      '{"time":"1970-01-01T00:00:00.000Z","level":"info","server":"kit","event":"pages.read","msg":"Retrieved 25 companies","pages":1}\n',
    ]);
  });

  test('holds no secret, whichever part of a line it is in', () => {
    const { lines, log } = logged('debug');
    log.debug('a', `with ${secret}`, { url: `https://x/?s=${encodeURIComponent(secret)}` });
    expect(lines.join('')).not.toMatch(/ss|rd/);
    expect(JSON.parse(lines[0]!)).toMatchObject({ msg: 'with [REDACTED]', url: 'https://x/?s=[REDACTED]' });
  });

  test('cannot be forged, and is cut', () => {
    const { lines, log } = logged('info');
    log.info('a', `one\n{"level":"error"}\u001b[2J${'x'.repeat(9_000)}`);
    expect(lines.join('').trimEnd().split('\n')).toHaveLength(1);
    expect(lines.join('')).not.toContain('\\u001b');
    expect(lines.join('').length).toBeLessThan(2_300);
  });

  test('says as much as LOG_LEVEL wants', () => {
    const silent = logged('silent');
    silent.log.error('a', 'b');
    const info = logged('info');
    info.log.debug('a', 'b');
    expect([...silent.lines, ...info.lines]).toEqual([]);
  });
});
