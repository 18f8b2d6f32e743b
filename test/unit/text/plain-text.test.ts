import { expect, test } from 'vitest';
import { counted, plainText } from '../../../src/text/plain-text.ts';

test('what a child wrote cannot drive the terminal, or forge a line', () => {
  expect(plainText('a\u001b[2Jb\nc\u202ed')).toBe('a [2Jb c d');
});

test('what is harmless stays as it is', () => {
  expect(plainText('zażółć 🙂 "x"')).toBe('zażółć 🙂 "x"');
});

test('one is one', () => {
  expect([counted(0, 'worker'), counted(1, 'worker'), counted(2, 'worker')]).toEqual([
    '0 workers',
    '1 worker',
    '2 workers',
  ]);
});
