import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type Cell, eras, sharings, workerKinds } from './cell.ts';
import { writeTables } from './compatibility.ts';
import { expectedIn, matrix } from './matrix.ts';

const file = path.resolve(import.meta.dirname, '../../../docs/compatibility.md');
const [from, to] = ['<!-- matrix -->\n', '<!-- end of the matrix -->\n'];

test('docs/compatibility.md shows what the tests check; UPDATE_DOCS=1 writes it anew', () => {
  const text = readFileSync(file, 'utf8');
  const [before = '', rest = ''] = text.split(from);
  const [, after = ''] = rest.split(to);
  const whole = `${before}${from}\n${writeTables()}\n${to}${after}`;
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, whole);
  else expect(text).toBe(whole);
});

const rows = matrix.flatMap((part) => part.rows);

test('no kind of message stands there twice', () => {
  const kinds = rows.map(({ kind }) => kind);
  expect(kinds.filter((kind, at) => kinds.indexOf(kind) !== at)).toEqual([]);
});

const cells = workerKinds.flatMap((worker) =>
  eras.flatMap((client) => sharings.map((way): Cell => ({ client, worker, way }))),
);

test("a server of both eras is served as one of its client's era is", () => {
  for (const cell of cells.filter(({ worker }) => worker === 'dual')) {
    const own = { ...cell, worker: cell.client };
    const both = rows.filter(({ exists = () => true }) => exists(cell) && exists(own));
    expect(both.map(({ verdict }) => verdict?.(cell))).toEqual(both.map(({ verdict }) => verdict?.(own)));
  }
});

test('what is lost or refused can be told from what is whole', () => {
  for (const cell of cells)
    for (const row of rows.filter(({ verdict }) => verdict?.(cell)))
      expect([row.kind, expectedIn(cell, row)]).not.toEqual([row.kind, row.whole(cell)]);
});
