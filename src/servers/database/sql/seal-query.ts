import { type Allowed, type Checked, checkQuery, type Qualifier } from './check-query.ts';
import { bounds, type Parser, sealedBounds } from './parser.ts';
import { QueryRejected } from './rejection.ts';
import { syntaxName } from './syntax.ts';

/** Names of `fields` and `operators` are the database's to look at. */
export type SealedQuery = Omit<Checked, 'qualifiers'> & { readonly text: string };

/**
 * A query made safe to send: checked, each table and function qualified, and put into an outer SELECT that stops after
 * `maxRows`. What is sent is itself read and checked once more, so that nothing rests on the text having been put
 * together rightly.
 * @throws {QueryRejected}
 */
export function sealQuery(parser: Parser, sql: string, allowed: Allowed, maxRows: number): SealedQuery {
  const { select, text } = onlySelect(parser, sql, bounds);
  const { qualifiers, fields, operators } = checkQuery(select, allowed);
  const body = insert(text, qualifiers);
  const sealed = seal(body, maxRows);
  const again = onlySelect(parser, sealed, sealedBounds);
  const empty = onlySelect(parser, seal('SELECT', maxRows), bounds);
  if (
    checkQuery(again.select, allowed).qualifiers.length > 0 ||
    outside(again.select) !== outside(empty.select)
  )
    throw new QueryRejected('The query cannot be read unambiguously');
  return { text: sealed, fields, operators };
}

interface OneSelect {
  readonly select: unknown;
  /** Without the semicolon. */
  readonly text: string;
}

/** The one statement of a text; exactly one: no statement may hide behind another. */
function onlySelect(parser: Parser, sql: string, limits: typeof bounds): OneSelect {
  const { stmts = [] } = parser.parse(sql, limits);
  const [only, ...more] = stmts;
  if (only?.stmt === undefined) throw new QueryRejected('There is no statement in the query');
  if (more.length > 0) throw new QueryRejected('The query is several statements; send one SELECT');
  const [kind = ''] = Object.keys(only.stmt);
  if (kind !== 'SelectStmt')
    throw new QueryRejected(`${syntaxName(kind)} is not allowed here: one SELECT is`);
  const bytes = Buffer.from(sql);
  const start = only.stmt_location ?? 0;
  const end = only.stmt_len === undefined || only.stmt_len === 0 ? bytes.length : start + only.stmt_len;
  // From the very beginning, so that places in the tree are places in the text.
  return { select: only.stmt, text: bytes.subarray(0, end).toString() };
}

/** Places are bytes of UTF-8, not characters. */
function insert(text: string, qualifiers: readonly Qualifier[]): string {
  const bytes = Buffer.from(text);
  const parts: Buffer[] = [];
  let from = 0;
  for (const { at, text: more } of qualifiers.toSorted((one, other) => one.at - other.at)) {
    parts.push(bytes.subarray(from, at), Buffer.from(more));
    from = at;
  }
  return Buffer.concat([...parts, bytes.subarray(from)]).toString();
}

/** The query is on lines of its own, so that a comment at its end ends there. */
const seal = (body: string, maxRows: number): string =>
  `SELECT * FROM (\n${body}\n) AS result LIMIT ${maxRows}`;

/** All of the tree but places, and what is in the outermost FROM ( … ). */
const outside = (select: unknown): string =>
  JSON.stringify(select, (key, value: unknown) =>
    key === 'subquery' || key === 'location' ? undefined : value,
  );
