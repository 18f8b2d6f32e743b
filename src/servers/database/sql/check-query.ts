import { type Relation } from '../tenant-uri.ts';
import { builtInFunctions, builtInTypes, timeFunctions } from './built-ins.ts';
import { QueryRejected } from './rejection.ts';
import { fieldOf, isNodeKind, type NodeKind, syntaxName } from './syntax.ts';

/** What a query may touch. Names in `functions` and `types` are as written: `similarity` or `public.similarity`. */
export interface Allowed {
  /** The table the resource URI names. */
  readonly target: Relation;
  /** Tables that may stand beside it; `all`: every table of `schemas`. */
  readonly beside: readonly Relation[] | 'all';
  /** Where tables may be; the first is where an unqualified one is looked for. */
  readonly schemas: readonly string[];
  /** Beyond PostgreSQL's own harmless ones. */
  readonly functions: ReadonlySet<string>;
  readonly types: ReadonlySet<string>;
}

/** Text to put before the name that begins at a byte of the query. */
export interface Qualifier {
  readonly at: number;
  readonly text: string;
}

/** What a checked query needs, and what only the database knows whether it is fine. */
export interface Checked {
  readonly qualifiers: readonly Qualifier[];
  /** Names after a dot. To PostgreSQL `c.name` is also `name(c)`, if there is no such column. */
  readonly fields: ReadonlySet<string>;
  /** The operators it uses. */
  readonly operators: ReadonlySet<string>;
}

type Fields = Readonly<Record<string, unknown>>;
/** Names that WITH gave to queries, as far as they can be seen from here. */
type Scope = ReadonlySet<string>;

/** More levels than any query written for people has; each costs a frame of our own stack. */
const maxDepth = 200;

/** What BETWEEN, USING and the like are made of. */
const impliedOperators = ['=', '<', '>', '<=', '>=', '<>'];

/**
 * Walks all of a query.
 * @returns what has to be put in so that each name means what was checked, whatever the search path of the server.
 * @throws {QueryRejected}
 */
export function checkQuery(query: unknown, allowed: Allowed): Checked {
  const check = new QueryCheck(allowed);
  check.node(query, new Set(), 0);
  return check;
}

class QueryCheck implements Checked {
  readonly qualifiers: Qualifier[] = [];
  readonly fields = new Set<string>();
  readonly operators = new Set<string>(impliedOperators);
  readonly #allowed: Allowed;

  constructor(allowed: Allowed) {
    this.#allowed = allowed;
  }

  /** A node with its kind: `{ SelectStmt: {…} }`. The empty object is the parser's NULL. */
  node(value: unknown, scope: Scope, depth: number): void {
    const [entry, ...more] = Object.entries(asFields(value));
    if (entry === undefined) return;
    const [kind, fields] = entry;
    if (more.length > 0 || !isNodeKind(kind)) throw new QueryRejected(notAllowed(kind));
    this.#fields(kind, asFields(fields), scope, depth + 1);
  }

  #fields(kind: NodeKind, fields: Fields, outer: Scope, depth: number): void {
    if (depth > maxDepth) throw new QueryRejected('The query is nested too deeply');
    this.#look(kind, fields, outer);
    const scope = kind === 'SelectStmt' ? this.#with(fields['withClause'], outer, depth) : outer;
    for (const [name, value] of Object.entries(fields)) {
      const field = fieldOf(kind, name);
      if (field === undefined) throw new QueryRejected(notAllowed(name));
      if (field === 'plain' || name === 'withClause') continue;
      if (field === 'node') this.node(value, scope, depth);
      else if (field === 'nodes') for (const each of asList(value)) this.node(each, scope, depth);
      else this.#fields(field, asFields(value), scope, depth + 1);
    }
  }

  /**
   * What a WITH can see, and what can see it. Without RECURSIVE a query sees only those before it: in
   * `WITH a AS (SELECT * FROM secret), secret AS (…)` the first `secret` is the table.
   */
  #with(clause: unknown, outer: Scope, depth: number): Scope {
    if (clause === undefined) return outer;
    const { ctes, recursive, ...others } = asFields(clause);
    for (const name of Object.keys(others))
      if (name !== 'location') throw new QueryRejected(notAllowed(name));
    const named = asList(ctes).map((cte) => asFields(asFields(cte)['CommonTableExpr']));
    const nameOf = (cte: Fields) => asText(cte['ctename']);
    let scope: Scope = recursive === true ? new Set([...outer, ...named.map(nameOf)]) : outer;
    for (const cte of named) {
      this.#fields('CommonTableExpr', cte, scope, depth + 1);
      scope = new Set([...scope, nameOf(cte)]);
    }
    return scope;
  }

  #look(kind: NodeKind, fields: Fields, scope: Scope): void {
    if (kind === 'RangeVar') this.#relation(fields, scope);
    else if (kind === 'FuncCall') this.#function(fields);
    else if (kind === 'TypeName') this.#type(namesIn(fields['names']));
    else if (kind in namesOperators) this.#operator(namesIn(fields[namesOperators[kind] ?? '']));
    else this.#lookAtColumn(kind, fields);
  }

  #lookAtColumn(kind: NodeKind, fields: Fields): void {
    if (kind === 'ColumnRef') this.#afterDot(asList(fields['fields']).slice(1));
    else if (kind === 'A_Indirection') this.#afterDot(asList(fields['indirection']));
    else if (kind === 'CollateClause') this.#schemaOf(namesIn(fields['collname']));
    else if (kind === 'SQLValueFunction' && !timeFunctions.has(asText(fields['op'])))
      throw new QueryRejected('current_user, current_schema and their kin are not allowed here');
  }

  #relation(fields: Fields, scope: Scope): void {
    const { catalogname, schemaname, relname, location } = fields;
    const name = asText(relname);
    if (catalogname !== undefined) throw new QueryRejected('Tables are named without a database');
    if (schemaname === undefined && scope.has(name)) return;
    const relation = schemaname === undefined ? this.#resolve(name) : { schema: asText(schemaname), name };
    if (!this.#isAllowed(relation)) throw new QueryRejected(this.#notThisTable(relation));
    if (schemaname === undefined) this.#qualify(location, relation.schema);
  }

  /** The table an unqualified name stands for: decided here, and written into the query. */
  #resolve(name: string): Relation {
    const { target, beside, schemas } = this.#allowed;
    const known = [target, ...(beside === 'all' ? [] : beside)].find((relation) => relation.name === name);
    return known ?? { schema: schemas[0] ?? '', name };
  }

  #isAllowed({ schema, name }: Relation): boolean {
    const { target, beside, schemas } = this.#allowed;
    if (!schemas.includes(schema)) return false;
    if (beside === 'all') return true;
    return [target, ...beside].some((relation) => relation.schema === schema && relation.name === name);
  }

  #notThisTable({ schema, name }: Relation): string {
    const { target, beside, schemas } = this.#allowed;
    const others = beside === 'all' ? ` and others in ${schemas.join(', ')}` : beside.map(fullName).join('');
    return `${schema}.${name} is not the table of this resource_uri: only ${target.schema}.${target.name}${others} can be asked here`;
  }

  #function({ funcname, location }: Fields): void {
    const names = namesIn(funcname);
    const written = names.join('.');
    if (this.#allowed.functions.has(written)) return;
    const isBuiltIn = builtInFunctions.has(names.at(-1) ?? '');
    if (isBuiltIn && names.length === 2 && names[0] === 'pg_catalog') return;
    if (!isBuiltIn || names.length !== 1)
      throw new QueryRejected(`The function ${written} is not allowed here`);
    this.#qualify(location, 'pg_catalog');
  }

  #type(names: readonly string[]): void {
    const written = names.join('.');
    const isBuiltIn = builtInTypes.has(names.at(-1) ?? '');
    const isPlain = names.length === 1 || (names.length === 2 && names[0] === 'pg_catalog');
    if (this.#allowed.types.has(written) || (isBuiltIn && isPlain)) return;
    throw new QueryRejected(`A cast to the type ${written} is not allowed here`);
  }

  #afterDot(nodes: readonly unknown[]): void {
    for (const node of nodes) {
      const name = asFields(node)['String'];
      if (name !== undefined) this.fields.add(asText(asFields(name)['sval']));
    }
  }

  #operator(names: readonly string[]): void {
    this.#schemaOf(names);
    const name = names.at(-1);
    if (name !== undefined) this.operators.add(name);
  }

  /** Operators and collations: PostgreSQL's own, or those where the tables are. */
  #schemaOf(names: readonly string[]): void {
    const [schema] = names;
    if (names.length < 2) return;
    if (
      names.length > 2 ||
      schema === undefined ||
      ![...this.#allowed.schemas, 'pg_catalog'].includes(schema)
    )
      throw new QueryRejected(`${names.join('.')} is not allowed here`);
  }

  #qualify(location: unknown, schema: string): void {
    // Everything that can be qualified has a place; without one it was made by the parser from other syntax.
    if (typeof location !== 'number' || location <= 0)
      throw new QueryRejected('The query has a name whose place is not known');
    this.qualifiers.push({ at: location, text: `${quoted(schema)}.` });
  }
}

/** Where a kind of node names an operator. */
const namesOperators: Readonly<Record<string, string>> = {
  A_Expr: 'name',
  SubLink: 'operName',
  SortBy: 'useOp',
};

/** An identifier as SQL has it, whatever is in it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

const fullName = ({ schema, name }: Relation): string => `, ${schema}.${name}`;

const notAllowed = (syntax: string): string => `${syntaxName(syntax)} is not allowed here: one SELECT is`;

function asFields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new QueryRejected('The query has syntax that is not known here');
  return value as Fields;
}

function asList(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new QueryRejected('The query has syntax that is not known here');
  return value;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The parts of a qualified name. */
function namesIn(list: unknown): readonly string[] {
  return asList(list).map((each) => asText(asFields(asFields(each)['String'])['sval']));
}
