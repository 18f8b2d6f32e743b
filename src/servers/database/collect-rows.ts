import { type FieldDef, Query, type QueryArrayResult } from 'pg';
import { ToolFailure } from '../kit/failure.ts';
import type { Session } from './session.ts';
import type { Limits } from './settings.ts';
import { type Cell, readCell } from './cells.ts';

export interface Collected {
  readonly fields: readonly FieldDef[];
  readonly rows: readonly (readonly Cell[])[];
  /** Why there are fewer rows than there could be. */
  readonly truncatedBy: 'rows' | 'bytes' | undefined;
  /** Values that were cut. */
  readonly cutCells: number;
}

export interface Question {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly maxRows: number;
}

/** As often is looked how much has come. */
const lookMs = 20;
/** What comes over the wire beyond the answer's size before the connection is cut: a row is read whole, or not at all. */
const wireFactor = 8;

/**
 * Asks, and takes rows until there are enough. Rows are counted as they come, so an answer that is too large is never
 * in memory as a whole; one that does not even end its first row is cut off by the bytes on the wire.
 */
export async function collectRows(session: Session, question: Question, limits: Limits): Promise<Collected> {
  const { client, cut, bytesRead } = session;
  const collection = createCollection(question.maxRows, limits);
  const maxWireBytes = bytesRead() + limits.maxResultBytes * wireFactor + wireSlackBytes;
  return new Promise((resolve, reject) => {
    const isTooMuch = (): boolean => bytesRead() > maxWireBytes;
    const watch = setInterval(() => {
      if (isTooMuch()) enough();
    }, lookMs);
    const enough = (): void => {
      clearInterval(watch);
      cut();
      collection.truncatedBy ??= 'bytes';
      if (collection.rows.length === 0) reject(tooLarge());
      else resolve(collection);
    };
    const query = new Query<unknown[]>({
      text: question.text,
      values: [...question.values],
      // One statement and no more, whatever the text says: the simple protocol would run all of them.
      queryMode: 'extended',
      rowMode: 'array',
      types: { getTypeParser: () => asText },
    } as ConstructorParameters<typeof Query<unknown[]>>[0]);
    query.on('row', (row: unknown[], result) => {
      collection.fields = (result as unknown as QueryArrayResult).fields;
      if (isTooMuch() || !collection.take(row as (string | null)[])) enough();
    });
    query.on('error', (error) => {
      clearInterval(watch);
      reject(error);
    });
    query.on('end', (result) => {
      clearInterval(watch);
      collection.fields = result.fields;
      resolve(collection);
    });
    client.query(query);
  });
}

const wireSlackBytes = 64 * 1024;
const asText = (value: string): string => value;

function tooLarge(): ToolFailure {
  return new ToolFailure('RESULT_TOO_LARGE', 'One row alone is larger than an answer may be', {
    hint: 'Select fewer columns, or a part: left(column, 1000)',
  });
}

interface Collection {
  fields: readonly FieldDef[];
  readonly rows: (readonly Cell[])[];
  truncatedBy: 'rows' | 'bytes' | undefined;
  cutCells: number;
  /** False: it has enough. */
  take(row: readonly (string | null)[]): boolean;
}

function createCollection(maxRows: number, { maxCellChars, maxResultBytes }: Limits): Collection {
  let bytes = 0;
  return {
    fields: [],
    rows: [],
    truncatedBy: undefined,
    cutCells: 0,
    take(row) {
      if (this.rows.length >= maxRows) {
        this.truncatedBy = 'rows';
        return true;
      }
      let size = 2;
      const cells = row.map((text, at) => {
        const { value, isCut } = readCell(text, this.fields[at]?.dataTypeID ?? 0, maxCellChars);
        if (isCut) this.cutCells++;
        size += Buffer.byteLength(JSON.stringify(value)) + 1;
        return value;
      });
      bytes += size;
      if (bytes > maxResultBytes) {
        this.truncatedBy = 'bytes';
        return false;
      }
      this.rows.push(cells);
      return true;
    },
  };
}
