import { describe, expect, test } from 'vitest';
import { bytes } from '../../../src/yaml/bytes.ts';

const messagesOf = (value: unknown, minBytes?: number) =>
  bytes(minBytes)
    .safeParse(value)
    .error?.issues.map(({ message }) => message);

describe('a size', () => {
  test.each([
    ['0B', 0],
    ['512B', 512],
    ['1KiB', 1024],
    ['4MiB', 4 * 1024 ** 2],
    ['2GiB', 2 * 1024 ** 3],
  ])('%s is %i bytes', (text, size) => {
    expect(bytes().parse(text)).toBe(size);
  });

  test.each([
    '',
    '4',
    'MiB',
    '4MB',
    '4M',
    '4mib',
    '1.5MiB',
    '-1B',
    '4 MiB',
    ' 4MiB',
    '4MiB\n',
    '1e3B',
    '9'.repeat(400) + 'B',
    '9007199254740993B',
  ])('"%s" is none, and it is said what to write', (text) => {
    expect(messagesOf(text)?.join()).toMatch(/B, KiB, MiB or GiB/);
  });

  test('a number alone could be anything', () => {
    for (const value of [4, null, undefined, ['4MiB']]) expect(messagesOf(value)?.join()).toMatch(/"4MiB"/);
  });

  test('may have a least', () => {
    expect(bytes(1024).parse('1KiB')).toBe(1024);
    expect(messagesOf('1023B', 1024)?.join()).toMatch(/at least 1024B/);
  });
});
