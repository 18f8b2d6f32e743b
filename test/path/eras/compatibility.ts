import { type Cell, type Era, eras, sharings } from './cell.ts';
import { matrix } from './matrix.ts';
import { type Row } from './row.ts';

/** The tables of `docs/compatibility.md`, written from what the tests check. */
export function writeTables(): string {
  return matrix.map(({ title, rows }) => writeTable(title, rows)).join('\n');
}

const columns = eras.flatMap((client) => eras.map((worker) => ({ client, worker })));
const headings = columns.map(({ client, worker }) => `${client} → ${worker}`);

function writeTable(title: string, rows: readonly Row[]): string {
  const notes: string[] = [];
  const lines = rows.map(
    (row) => `| ${row.kind} | ${columns.map((column) => writeSquare(row, column, notes)).join(' | ')} |`,
  );
  return [
    `### ${title}`,
    '',
    `| | ${headings.join(' | ')} |`,
    `|---|${columns.map(() => '---').join('|')}|`,
    ...lines,
    '',
    ...notes.map((note, at) => `${at + 1}. ${note}`),
    ...(notes.length > 0 ? [''] : []),
  ].join('\n');
}

/** One mark where all ways of sharing agree; otherwise each mark with its ways. */
function writeSquare(row: Row, column: { client: Era; worker: Era }, notes: string[]): string {
  const marks = new Map<string, string[]>();
  for (const way of sharings) {
    const mark = markOf(row, { ...column, way }, notes);
    marks.set(mark, [...(marks.get(mark) ?? []), way]);
  }
  if (marks.size === 1) return [...marks.keys()].join('');
  return [...marks].map(([mark, ways]) => `${ways.join(', ')} ${mark}`).join(' · ');
}

function markOf({ exists, verdict }: Row, cell: Cell, notes: string[]): string {
  if (!(exists?.(cell) ?? true)) return '–';
  const found = verdict?.(cell);
  if (!found) return '✓';
  const isLoss = 'lossy' in found;
  const why = isLoss ? found.lossy : found.refused;
  if (!notes.includes(why)) notes.push(why);
  return `${isLoss ? '△' : '✗'} ${notes.indexOf(why) + 1}`;
}
