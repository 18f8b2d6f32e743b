import { styleText } from 'node:util';
import { plainText } from '../text/plain-text.ts';

export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold';

export interface Cell {
  readonly text: string;
  readonly colour?: Colour | undefined;
}
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}
export interface TableOptions {
  readonly colours: boolean;
  /** Nothing is cut without it. */
  readonly width?: number | undefined;
}

const gap = '  ';

export function paint(text: string, colour: Colour | undefined, colours: boolean): string {
  if (!colours || colour === undefined) return text;
  // Whether colours are wanted was decided by the caller, not by what this process has as stdout.
  return styleText(colour, text, { validateStream: false });
}

/** Aligned columns under dim titles. Where it does not fit, the last column is cut. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  options: TableOptions,
): string {
  const widths = widthsOf(columns, rows);
  const room = roomForLast(widths, options.width);
  const line = (cells: readonly Cell[]): string =>
    cells
      .map((cell, index) => {
        const last = index === columns.length - 1;
        const text = last ? cut(plainText(cell.text), room) : plainText(cell.text);
        return paint(
          pad(text, widths[index] ?? 0, last ? 'bare' : columns[index]?.align),
          cell.colour,
          options.colours,
        );
      })
      .join(gap)
      .trimEnd();
  const titles = columns.map(({ title }): Cell => ({ text: title, colour: 'dim' }));
  return [titles, ...rows].map((cells) => `${line(cells)}\n`).join('');
}

function widthsOf(columns: readonly Column[], rows: readonly (readonly Cell[])[]): number[] {
  return columns.map(({ title }, index) => {
    let widest = lengthOf(title);
    // A loop, not Math.max(...): ten thousand tenants are more arguments than a call may have.
    for (const row of rows) widest = Math.max(widest, lengthOf(plainText(row[index]?.text ?? '')));
    return widest;
  });
}

function roomForLast(widths: readonly number[], width: number | undefined): number {
  if (width === undefined) return Number.POSITIVE_INFINITY;
  const before = widths.slice(0, -1).reduce((sum, each) => sum + each + gap.length, 0);
  return Math.max(1, width - before);
}

function pad(text: string, width: number, align: Column['align'] | 'bare' = 'left'): string {
  if (align === 'bare') return text;
  const missing = ' '.repeat(Math.max(0, width - lengthOf(text)));
  return align === 'right' ? missing + text : text + missing;
}

function cut(text: string, max: number): string {
  if (lengthOf(text) <= max) return text;
  return `${Array.from(text)
    .slice(0, max - 1)
    .join('')}…`;
}

/** In characters as people see them, near enough: a name with an emoji must not shift a row. */
const lengthOf = (text: string): number => Array.from(text).length;
