import type { Client } from 'pg';
import { ToolFailure } from '../kit/failure.ts';
import type { Relation } from './tenant-uri.ts';

export const relationTypes = ['table', 'view'] as const;
export type RelationType = (typeof relationTypes)[number];

export interface FoundRelation extends Relation {
  readonly type: RelationType;
  readonly description: string | undefined;
}

export interface Column {
  readonly name: string;
  /** As PostgreSQL writes it: `character varying(50)`. */
  readonly type: string;
  readonly nullable: boolean;
  readonly primaryKey: boolean;
  readonly description: string | undefined;
}

/** Ordinary and partitioned tables, views and materialised views. Foreign tables are another database’s. */
const kinds: Readonly<Record<RelationType, string>> = { table: `'r', 'p'`, view: `'v', 'm'` };
const allKinds = Object.values(kinds).join(', ');

/** What the role may read some of: nobody learns the name of a table that is not for them. */
const visible = `
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')`;
const described = `n.nspname AS schema, c.relname AS name,
  CASE WHEN c.relkind IN (${kinds.view}) THEN 'view' ELSE 'table' END AS type,
  pg_catalog.obj_description(c.oid, 'pg_class') AS description`;

interface Row {
  readonly schema: string;
  readonly name: string;
  readonly type: RelationType;
  readonly description: string | null;
}

export interface ListOptions {
  readonly schemas: readonly string[];
  /** Undefined: both. */
  readonly type: RelationType | undefined;
  /** Those that come after this one, by schema and name. */
  readonly after: Relation | undefined;
  readonly max: number;
}

/** Tables and views, by schema and name; partitions are part of their table. */
export async function listRelations(client: Client, options: ListOptions): Promise<readonly FoundRelation[]> {
  const { schemas, type, after, max } = options;
  const { rows } = await client.query<Row>(
    `SELECT ${described} ${visible} AND c.relkind IN (${type === undefined ? allKinds : kinds[type]})
       AND NOT c.relispartition AND n.nspname = ANY ($1) AND (n.nspname, c.relname) > ($2::name, $3::name)
     ORDER BY n.nspname, c.relname LIMIT $4`,
    [schemas, after?.schema ?? '', after?.name ?? '', max],
  );
  return rows.map(({ description, ...row }) => ({ ...row, description: description ?? undefined }));
}

/** @throws {ToolFailure} NOT_FOUND, in the same words whether there is no such table or it is not for this role. */
export async function findRelation(
  client: Client,
  schemas: readonly string[],
  wanted: Relation,
): Promise<FoundRelation> {
  const { schema, name } = wanted;
  const { rows } = schemas.includes(schema)
    ? await client.query<Row>(
        `SELECT ${described} ${visible} AND c.relkind IN (${allKinds}) AND n.nspname = $1 AND c.relname = $2`,
        [schema, name],
      )
    : { rows: [] };
  const [row] = rows;
  if (!row)
    throw new ToolFailure('NOT_FOUND', 'There is no such table, or it is not for this role', {
      hint: 'list_tenant_resources shows what there is',
    });
  return { ...row, description: row.description ?? undefined };
}

interface ColumnRow extends Omit<Column, 'description'> {
  readonly description: string | null;
}

/** Those the role may read. */
export async function listColumns(client: Client, { schema, name }: Relation): Promise<readonly Column[]> {
  const { rows } = await client.query<ColumnRow>(
    `SELECT a.attname AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable,
       EXISTS (SELECT FROM pg_catalog.pg_index i
         WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey)) AS "primaryKey",
       pg_catalog.col_description(c.oid, a.attnum) AS description
     FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped
       AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
     ORDER BY a.attnum`,
    [schema, name],
  );
  return rows.map(({ description, ...row }) => ({ ...row, description: description ?? undefined }));
}

/**
 * What a query would call although it names no function: one that takes a row, by `row.name`, and operators that run with
 * the rights of whoever made them. Columns of these names are found first by PostgreSQL; here a name is enough to refuse.
 */
export async function hiddenCalls(
  client: Client,
  schemas: readonly string[],
  { fields, operators }: { readonly fields: readonly string[]; readonly operators: readonly string[] },
): Promise<readonly string[]> {
  const { rows } = await client.query<{ readonly name: string }>(
    `WITH own AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = ANY ($1))
     SELECT p.proname AS name FROM pg_catalog.pg_proc p
       JOIN pg_catalog.pg_type t ON t.oid = COALESCE(p.proallargtypes[1], p.proargtypes[0])
     WHERE p.proname = ANY ($2) AND p.pronamespace IN (TABLE own) AND t.typtype IN ('c', 'd', 'p')
     UNION SELECT o.oprname FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
     WHERE o.oprname = ANY ($3) AND o.oprnamespace IN (TABLE own) AND p.prosecdef`,
    [schemas, fields, operators],
  );
  return rows.map(({ name }) => name);
}

/** Does the role have rights to write in these schemas, which it has no need of? */
export async function mayWrite(client: Client, schemas: readonly string[]): Promise<boolean> {
  const { rows } = await client.query<{ readonly writes: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p')
         AND pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')) AS writes`,
    [schemas],
  );
  return rows[0]?.writes ?? false;
}
