import { types } from 'pg';

/** One value of an answer, as JSON has it. */
export type Cell = null | boolean | number | string | object;

const { INT2, INT4, OID, FLOAT4, FLOAT8, JSON: PLAIN_JSON, JSONB } = types.builtins;
const bool: number = types.builtins.BOOL;
const numeric = new Set<number>([INT2, INT4, OID, FLOAT4, FLOAT8]);
const structured = new Set<number>([PLAIN_JSON, JSONB]);
/** A number that JSON.parse could round. */
const longNumber = /\d{16}/;

/**
 * A value from its text. Numbers that a double cannot hold exactly (bigint, numeric) stay text, as do dates, and everything
 * else PostgreSQL has; texts longer than `maxChars` are cut.
 */
export function readCell(
  text: string | null,
  typeId: number,
  maxChars: number,
): { readonly value: Cell; readonly isCut: boolean } {
  if (text === null) return { value: null, isCut: false };
  if (text.length > maxChars) return { value: cutText(text, maxChars), isCut: true };
  return { value: valueOf(text, typeId), isCut: false };
}

function valueOf(text: string, typeId: number): Cell {
  if (typeId === bool) return text === 't';
  if (numeric.has(typeId)) {
    const number = Number(text);
    return Number.isFinite(number) ? number : text;
  }
  if (structured.has(typeId) && !longNumber.test(text)) return JSON.parse(text) as Cell;
  return text;
}

/** Not in the middle of a character. */
function cutText(text: string, maxChars: number): string {
  const cut = text.slice(0, maxChars);
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

const typeNames = new Map(
  Object.entries(types.builtins).map(([name, id]) => [id as number, name.toLowerCase()]),
);

/** `int4`, `text`, …; of types that are not PostgreSQL's own only the number is known. */
export function typeName(typeId: number): string {
  return typeNames.get(typeId) ?? `type ${typeId}`;
}
