import { expect, test } from 'vitest';
import { table } from '../../../src/cli/table.ts';

const columns = [{ title: 'NAME' }, { title: 'COUNT', align: 'right' }, { title: 'LAST ERROR' }] as const;
const rows = [
  [{ text: 'acme' }, { text: '7' }, { text: 'it did not start at all' }],
  [{ text: 'a-long-name' }, { text: '12345678' }, { text: '' }],
];

test('columns are aligned, numbers to the right', () => {
  expect(table(columns, rows, { colours: false })).toBe(
    [
      'NAME            COUNT  LAST ERROR',
      'acme                7  it did not start at all',
      'a-long-name  12345678',
      '',
    ].join('\n'),
  );
});

test('a narrow terminal cuts the last column only', () => {
  const lines = table(columns, rows, { colours: false, width: 36 }).split('\n');
  expect(lines[1]).toBe('acme                7  it did not s…');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(36);
});

test('colours do not shift columns, and are not there unless asked for', () => {
  const coloured = [[{ text: 'acme', colour: 'red' as const }, { text: '1' }, { text: 'x' }]];
  // eslint-disable-next-line no-control-regex -- the colour codes themselves
  const bare = table(columns, coloured, { colours: true }).replace(/\u001b\[\d+m/g, '');
  expect(bare).toBe(table(columns, coloured, { colours: false }));
  expect(table(columns, coloured, { colours: true })).toContain('\u001b[31macme');
  expect(table(columns, coloured, { colours: false })).not.toContain('\u001b');
});

test('a name with an emoji does not shift its row', () => {
  const [, first, second] = table(
    [{ title: 'A' }, { title: 'B' }],
    [
      [{ text: '🚀x' }, { text: '1' }],
      [{ text: 'ab' }, { text: '2' }],
    ],
    { colours: false },
  ).split('\n');
  expect(first).toBe('🚀x  1');
  expect(second).toBe('ab  2');
});
