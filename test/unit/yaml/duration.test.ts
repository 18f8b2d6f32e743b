import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { duration, parseDuration } from '../../../src/yaml/duration.ts';

const messagesOf = (value: unknown, minMs?: number) =>
  duration(minMs)
    .safeParse(value)
    .error?.issues.map(({ message }) => message);

describe('a duration', () => {
  test.each([
    ['0s', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['0.5h', 1_800_000],
    ['2d', 172_800_000],
    ['0.6ms', 1],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
    expect(duration().parse(text)).toBe(ms);
  });

  test.each([
    '',
    '30',
    's',
    '30 s',
    ' 30s',
    '30s ',
    '-1s',
    '+1s',
    '1e3s',
    '.5s',
    '1.s',
    '1,5s',
    '30S',
    '1h30m',
    '5w',
  ])('"%s" is none, and it is said what to write', (text) => {
    expect(parseDuration(text)).toBeUndefined();
    expect(messagesOf(text)?.join()).toMatch(/ms, s, m, h or d/);
  });

  test('a number alone could be anything', () => {
    for (const value of [30, null, undefined, ['30s'], { s: 30 }])
      expect(messagesOf(value)?.join()).toMatch(/"30s"/);
  });

  test('may have a least', () => {
    expect(duration(100).parse('100ms')).toBe(100);
    expect(messagesOf('99ms', 100)).toEqual(['write at least 100ms']);
  });

  test('is a whole number of milliseconds, whatever fraction was written', () => {
    const written = fc.tuple(fc.nat(10_000), fc.nat(999), fc.constantFrom('ms', 's', 'm', 'h', 'd'));
    fc.assert(
      fc.property(written, ([whole, fraction, unit]) => {
        expect(Number.isInteger(parseDuration(`${whole}.${fraction}${unit}`))).toBe(true);
      }),
    );
  });
});
