import { type Cell } from './cell.ts';
import { type Row, type Verdict } from './row.ts';
import { bytes } from './rows/bytes.ts';
import { calls } from './rows/calls.ts';
import { lists } from './rows/lists.ts';
import { meeting } from './rows/meeting.ts';
import { news } from './rows/news.ts';
import { questions } from './rows/questions.ts';
import { tasks } from './rows/tasks.ts';
import { type Stage } from './stage.ts';

/** Every kind of message there is, in the order of `docs/compatibility.md`. */
export const matrix: readonly { readonly title: string; readonly rows: readonly Row[] }[] = [
  { title: 'Meeting', rows: meeting },
  { title: 'Lists and what is read', rows: lists },
  { title: 'Calls', rows: calls },
  // Before the questions: a server that has asked something is not given two calls at once any more.
  { title: 'News', rows: news },
  { title: "The server's questions", rows: questions },
  { title: 'Tasks', rows: tasks },
  { title: 'Bytes', rows: bytes },
];

const everyRow = matrix.flatMap(({ rows }) => rows);

export const rowsOf = (cell: Cell): readonly Row[] => everyRow.filter(({ exists }) => exists?.(cell) ?? true);

/** What must be seen in this square. */
export function expectedIn(cell: Cell, { whole, verdict }: Row): unknown {
  const loss: Verdict | undefined = verdict?.(cell);
  return loss ? loss.seen : whole(cell);
}

/**
 * No row may take longer, in milliseconds: one that hangs must not take the others with it. Longer than the product has a
 * call wait for a worker, so that it is the product that says what is wrong.
 */
const patienceMs = 40_000;
/** The first to come waits for a proxy and its first processes, which start while those of other squares do. */
const connectMs = 45_000;

/** Plays all rows of a square, one after the other: what each came to, or how it failed, by its kind. */
export async function play(open: () => Promise<Stage>, cell: Cell): Promise<ReadonlyMap<string, unknown>> {
  const seen = new Map<string, unknown>();
  let stage: Stage;
  try {
    stage = await withPatience(open(), connectMs);
  } catch (thrown) {
    return new Map(rowsOf(cell).map(({ kind }) => [kind, { cannotConnect: String(thrown) }]));
  }
  for (const row of rowsOf(cell)) {
    try {
      seen.set(row.kind, await withPatience(row.observe(stage), patienceMs));
    } catch (thrown) {
      seen.set(row.kind, { failed: String(thrown) });
    }
  }
  await stage.close();
  return seen;
}

function withPatience<Value>(promise: Promise<Value>, ms: number): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`No end within ${ms} ms`)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
