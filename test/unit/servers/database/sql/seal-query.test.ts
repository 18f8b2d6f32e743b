import { beforeAll, describe, expect, test } from 'vitest';
import { type Allowed } from '../../../../../src/servers/database/sql/check-query.ts';
import { loadParser, type Parser } from '../../../../../src/servers/database/sql/parser.ts';
import { QueryRejected } from '../../../../../src/servers/database/sql/rejection.ts';
import { sealQuery } from '../../../../../src/servers/database/sql/seal-query.ts';

const customers: Allowed = {
  target: { schema: 'public', name: 'customers' },
  beside: [],
  schemas: ['public', 'sales'],
  functions: new Set(),
  types: new Set(),
};

let parser: Parser;
beforeAll(async () => {
  parser = await loadParser();
});

const seal = (sql: string, allowed: Partial<Allowed> = {}) =>
  sealQuery(parser, sql, { ...customers, ...allowed }, 101).text;

function expectRejected(sql: string, allowed: Partial<Allowed> = {}): void {
  expect(() => seal(sql, allowed)).toThrow(QueryRejected);
}

/** What is between the outer SELECT and its limit. */
const inner = (sql: string, allowed: Partial<Allowed> = {}): string => {
  const sealed = seal(sql, allowed);
  const [, body] = /^SELECT \* FROM \(\n([\s\S]*)\n\) AS result LIMIT 101$/.exec(sealed) ?? [];
  expect(body).toBeDefined();
  return body!;
};

describe('a question about the table is sent, with every name made certain', () => {
  test.each([
    ['SELECT * FROM customers', 'SELECT * FROM "public".customers'],
    ['SELECT * FROM customers LIMIT 10;', 'SELECT * FROM "public".customers LIMIT 10'],
    ['SELECT 1;;', 'SELECT 1'],
    ['select * from Customers c', 'select * from "public".Customers c'],
    ['select * from "customers"', 'select * from "public"."customers"'],
    ['select * from U&"c\\0075stomers"', 'select * from "public".U&"c\\0075stomers"'],
    ['select * from public.customers -- all of them', 'select * from public.customers -- all of them'],
    ['TABLE customers', 'TABLE "public".customers'],
    ['table only customers', 'table only "public".customers'],
    ['VALUES (1), (2)', 'VALUES (1), (2)'],
    ['select count(*) from customers', 'select "pg_catalog".count(*) from "public".customers'],
    [
      "select 'größe 🙂', lower(name) from customers where id = $1 -- ünd",
      'select \'größe 🙂\', "pg_catalog".lower(name) from "public".customers where id = $1 -- ünd',
    ],
    [
      'select a.id from customers a join customers b on a.id = b.id',
      'select a.id from "public".customers a join "public".customers b on a.id = b.id',
    ],
    [
      'with c as (select * from customers) select * from c',
      'with c as (select * from "public".customers) select * from c',
    ],
    // A query's own name hides the table's, as PostgreSQL has it.
    [
      'with customers as (select * from customers) select * from customers',
      'with customers as (select * from "public".customers) select * from customers',
    ],
    [
      'with recursive t(n) as (select 1 union all select n + 1 from t where n < 5) select n from t',
      'with recursive t(n) as (select 1 union all select n + 1 from t where n < 5) select n from t',
    ],
    [
      'with a as (select 1) select (select count(*) from a), * from (select * from a) x',
      'with a as (select 1) select (select "pg_catalog".count(*) from a), * from (select * from a) x',
    ],
  ])('%s', (sql, expected) => {
    expect(inner(sql)).toBe(expected);
  });

  test.each([
    `select name, count(*) filter (where paid) over (partition by city order by id rows between 1 preceding and current row)
     from customers window w as (order by id)`,
    `select city, grouping(city), sum(total), string_agg(distinct name, ', ' order by name), percentile_cont(0.5) within group (order by total)
     from customers group by grouping sets ((city), ()) having count(*) > 1 order by 2 desc nulls last limit 5 offset 1`,
    `select case when a between 1 and 2 then 'x' else coalesce(b, nullif(c, d), greatest(e, f)) end from customers`,
    `select extract(year from at), at at time zone 'UTC', substring(name from 1 for 2), trim(both 'x' from name), position('a' in name),
     overlay(name placing 'x' from 1), name like 'a%' escape '!', name similar to 'b', normalize(name, nfc), (a, b) overlaps (c, d),
     current_date, localtimestamp, current_timestamp(3), date '2026-01-01', interval '1 day', timestamptz 'now', left(name, 3) from customers`,
    `select id::text, cast(total as numeric(10, 2)), array[1, 2]::int[], tags[1:2], (row(1, 2)), data -> 'a' ->> 'b', data @> '{}'::jsonb, not x is null,
     y is distinct from z, name collate "C", exists (select 1), id = any ($1), id in (1, 2), id not in (select 1), name ~* 'x' from customers`,
    `select * from generate_series(1, 3) with ordinality as g(n, o), lateral unnest(array[1]) u, json_to_record('{}') as r(a int, b text collate "C"),
     rows from (unnest(array[1]), generate_series(1, 2)) as x`,
    `select * from customers cross join (values (1, 'a')) v(id, name) natural left join customers x`,
    `select distinct on (city) * from customers union all select * from customers intersect (select * from customers except all table customers) order by 1`,
    `with recursive t as materialized (select 1 as n union select n + 1 from t) search depth first by n set o cycle n set c to true default false using p
     select * from t`,
    `select make_interval(days => 3), to_tsvector('english', name) @@ websearch_to_tsquery('x') from customers order by id using operator(pg_catalog.<)`,
    `select c, c.*, (c).name, (select x from (select 1 as x) s) from customers c fetch first 3 rows with ties`.replace(
      'fetch first',
      'order by 1 fetch first',
    ),
  ])('ordinary SQL: %s', (sql) => {
    const once = inner(sql);
    // What is sent needs nothing more put in.
    expect(inner(once)).toBe(once);
  });
});

describe('tables', () => {
  test.each([
    'select * from orders',
    'select * from public.orders',
    'select * from sales.customers',
    'select * from customers, orders',
    'select (select secret from orders)',
    'select * from customers where id in (select id from orders)',
    'select * from customers where exists (table orders)',
    'select * from (select * from orders) customers',
    'select * from customers left join lateral (select * from orders) o on true',
    'select * from customers union select * from orders',
    'select * from (values ((select secret from orders))) v',
    'select array(select secret from orders)',
    'select case when (select true from orders) then 1 end',
    'select count(*) filter (where (select true from orders)) from customers',
    'select sum(id) over (order by (select 1 from orders)) from customers',
    'select * from customers order by (select secret from orders)',
    'select * from customers limit (select 1 from orders)',
    'select * from customers offset (select 1 from orders)',
    'select * from customers group by (select secret from orders)',
    'select distinct on ((select secret from orders)) 1 from customers',
    'select * from customers having (select true from orders)',
    'select * from generate_series(1, (select 1 from orders))',
    'select 1 from customers window w as (order by (select 1 from orders))',
    'select tags[(select 1 from orders)] from customers',
    'select coalesce((select 1 from orders), 1)',
    'select row((select 1 from orders))',
    'select (select orders from orders)::text',
    'table orders',
    'select * from other_database.public.customers',
    // the catalogue, whose names are found before anybody's schema
    'select * from pg_shadow',
    'select * from pg_catalog.pg_authid',
    'select * from pg_class',
    'select * from information_schema.tables',
    'select * from pg_stat_activity',
    'select * from pg_settings',
    'select * from pg_temp.customers',
    'select * from pg_toast.customers',
    'select * from "Customers"',
    'select * from public."customers "',
    // WITH hides a table only from those who can see it
    'with a as (select * from orders), orders as (select 1) select * from a',
    'select * from orders, (with orders as (select 1) select 1) x',
    'with a as (with orders as (select 1) select * from orders) select * from orders',
    'with orders as (select * from orders) select * from orders',
    'with orders as (select 1) select * from public.orders',
    'select * from (with orders as (select 1) select 1) a union select * from orders',
    'select * from customers where id in (with orders as (select 1) select 1) and id in (select id from orders)',
    'with recursive a as (select * from orders) select * from a',
    'with a as (select 1) select 1 union (with b as (select 1) select * from b) union select * from b',
  ])('%s', (sql) => {
    expectRejected(sql);
  });

  test('a table that stands beside is allowed, one schema’s does not stand for another’s', () => {
    const beside = [
      { schema: 'public', name: 'orders' },
      { schema: 'sales', name: 'invoices' },
    ];
    expect(inner('select * from customers join orders using (id) join invoices using (id)', { beside })).toBe(
      'select * from "public".customers join "public".orders using (id) join "sales".invoices using (id)',
    );
    expectRejected('select * from sales.orders', { beside });
    expectRejected('select * from public.invoices', { beside });
    expectRejected('select * from secrets', { beside });
  });

  test('all tables are those of the schemas, and never the catalogue’s', () => {
    const beside = 'all';
    expect(inner('select * from customers, orders, sales.invoices', { beside })).toBe(
      'select * from "public".customers, "public".orders, sales.invoices',
    );
    // Taken to be in the first schema, where there is none: not what PostgreSQL would find first.
    expect(inner('select * from pg_shadow', { beside })).toBe('select * from "public".pg_shadow');
    expectRejected('select * from pg_catalog.pg_shadow', { beside });
    expectRejected('select * from hr.salaries', { beside });
    expectRejected('select * from information_schema.tables', { beside });
  });

  test('the table of the resource is meant, whatever schema stands first', () => {
    const target = { schema: 'sales', name: 'customers' };
    expect(inner('select * from customers', { target })).toBe('select * from "sales".customers');
    expectRejected('select * from public.customers', { target });
  });

  test('a name with a quote in it stays one name', () => {
    const target = { schema: 'a"b', name: 'c"d' };
    expect(inner('select * from "c""d"', { target, schemas: ['a"b'] })).toBe('select * from "a""b"."c""d"');
  });
});

describe('statements', () => {
  test.each([
    'SELECT 1; COMMIT; DELETE FROM customers',
    'SELECT 1; SELECT 2',
    'COMMIT',
    'ROLLBACK',
    'BEGIN READ WRITE',
    'SET TRANSACTION READ WRITE',
    'SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE',
    "SET statement_timeout = '0'",
    'RESET ALL',
    'SET ROLE postgres',
    'SHOW ALL',
    'LISTEN x',
    "NOTIFY x, 'y'",
    'COPY customers TO STDOUT',
    "COPY customers TO PROGRAM 'id'",
    "COPY customers FROM '/etc/passwd'",
    'DELETE FROM customers',
    'UPDATE customers SET id = 1',
    'INSERT INTO customers VALUES (1)',
    'MERGE INTO customers USING customers c ON true WHEN MATCHED THEN DELETE',
    'TRUNCATE customers',
    'DROP SCHEMA public CASCADE',
    'CREATE TABLE x (a int)',
    'CREATE TEMP TABLE x AS SELECT 1',
    'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
    'ALTER ROLE CURRENT_USER SET search_path = x',
    'GRANT ALL ON customers TO PUBLIC',
    'DO $$ BEGIN PERFORM pg_sleep(10); END $$',
    'CALL p()',
    'EXPLAIN SELECT 1',
    'EXPLAIN ANALYZE DELETE FROM customers',
    'PREPARE x AS SELECT 1',
    'EXECUTE x',
    'DECLARE c CURSOR FOR SELECT 1',
    'FETCH ALL FROM c',
    'LOCK TABLE customers',
    'VACUUM',
    'ANALYZE',
    'CHECKPOINT',
    'DISCARD ALL',
    "LOAD 'x'",
    "SECURITY LABEL ON TABLE customers IS 'x'",
    'SELECT 1) AS result; COMMIT; SELECT * FROM (SELECT 1',
    'SELECT 1) q UNION SELECT 2 FROM (SELECT 1',
    'SELECT 1) AS result --',
    'SELECT 1) AS result /*',
    'SELECT 1 /*',
    "SELECT 'a",
    'SELECT $$a',
    'SELECT 1 \\; DROP TABLE customers',
    '; SELECT 1',
    '',
    '   ',
    '-- nothing',
    '/* nothing */',
    ';',
    ';;',
    'SELEC 1',
    'customers',
    'SELECT 1\u0000; DROP TABLE customers',
    '\u0000',
    "SELECT '\ud800'",
    "SELECT 'a\udc00'",
    // inside a SELECT
    'WITH d AS (DELETE FROM customers RETURNING *) SELECT * FROM d',
    'WITH d AS (UPDATE customers SET id = 1 RETURNING *) SELECT * FROM d',
    'WITH d AS (INSERT INTO customers VALUES (1) RETURNING *) SELECT * FROM d',
    'WITH d AS (MERGE INTO customers USING customers c ON true WHEN MATCHED THEN DELETE RETURNING *) SELECT * FROM d',
    'SELECT * FROM (WITH d AS (DELETE FROM customers RETURNING *) SELECT * FROM d) x',
    'WITH a AS (SELECT 1) DELETE FROM customers',
    'SELECT * INTO x FROM customers',
    'SELECT * INTO TEMP x FROM customers',
    'SELECT 1 UNION SELECT 2 INTO x',
    'SELECT * FROM customers FOR UPDATE',
    'SELECT * FROM customers FOR KEY SHARE SKIP LOCKED',
    'SELECT * FROM (SELECT * FROM customers FOR SHARE) x',
    'WITH a AS (SELECT * FROM customers FOR NO KEY UPDATE) SELECT * FROM a',
    'SELECT * FROM customers TABLESAMPLE system (1)',
    'SELECT * FROM customers TABLESAMPLE public.evil (1)',
    "SELECT * FROM xmltable('/x' passing '<x/>' columns a text)",
    "SELECT xmlparse(document '<x/>')",
    'SELECT xmlelement(name a, (SELECT 1))',
    "SELECT json_query('{}', '$')",
  ])('%j', (sql) => {
    expectRejected(sql);
    expectRejected(sql, { beside: 'all' });
  });
});

describe('functions', () => {
  const dangerous = [
    ...['pg_sleep(10)', "pg_sleep_for('1 hour')", "pg_sleep_until('tomorrow')"],
    ...[
      "pg_read_file('/etc/passwd')",
      "pg_read_binary_file('x')",
      "pg_ls_dir('/')",
      'pg_ls_logdir()',
      "pg_stat_file('x')",
    ],
    ...[
      "lo_import('/etc/passwd')",
      "lo_export(1, '/tmp/x')",
      'lo_create(0)',
      'lo_unlink(1)',
      'lo_get(1)',
      "lo_from_bytea(0, '')",
      'loread(0, 1)',
    ],
    ...[
      "dblink('host=db', 'select 1')",
      "dblink_exec('host=db', 'drop table x')",
      "dblink_connect('host=db')",
    ],
    ...[
      "current_setting('data_directory')",
      "set_config('transaction_read_only', 'off', true)",
      "set_config('statement_timeout', '0', false)",
    ],
    ...[
      "query_to_xml('select * from orders', true, true, '')",
      "table_to_xml('orders', true, true, '')",
      "schema_to_xml('public', true, true, '')",
      "database_to_xml(true, true, '')",
    ],
    ...[
      "cursor_to_xml('c', 1, true, true, '')",
      "query_to_xmlschema('select 1', true, true, '')",
      "ts_stat('select * from orders')",
      "ts_rewrite('a', 'select * from orders')",
    ],
    ...[
      'pg_advisory_lock(1)',
      'pg_advisory_xact_lock(1)',
      'pg_try_advisory_lock(1)',
      'pg_advisory_unlock_all()',
    ],
    ...[
      "pg_notify('x', 'y')",
      'pg_terminate_backend(1)',
      'pg_cancel_backend(1)',
      'pg_reload_conf()',
      'pg_rotate_logfile()',
      'pg_promote()',
    ],
    ...[
      'pg_stat_reset()',
      "pg_stat_reset_shared('io')",
      "pg_logical_emit_message(true, 'a', 'b')",
      "pg_create_restore_point('x')",
      'pg_switch_wal()',
    ],
    ...[
      "pg_create_logical_replication_slot('a', 'b')",
      "pg_drop_replication_slot('a')",
      "pg_replication_origin_create('a')",
      'pg_export_snapshot()',
    ],
    ...[
      "nextval('s')",
      "setval('s', 1)",
      "currval('s')",
      'lastval()',
      'txid_current()',
      'pg_current_xact_id()',
    ],
    ...[
      'pg_backend_pid()',
      'inet_server_addr()',
      'inet_client_addr()',
      'version()',
      'current_database()',
      'current_schemas(true)',
      'pg_postmaster_start_time()',
    ],
    ...[
      "has_table_privilege('orders', 'select')",
      "pg_get_viewdef('orders')",
      'pg_get_functiondef(1)',
      'obj_description(1)',
      "to_regclass('orders')",
      'col_description(1, 1)',
    ],
    ...[
      "pg_relation_size('orders')",
      "pg_database_size('x')",
      "pg_table_size('orders')",
      "pg_indexes_size('x')",
      'pg_get_keywords()',
      'pg_show_all_settings()',
    ],
    ...[
      "pg_file_write('a', 'b', true)",
      'pg_backup_start(1)',
      'pg_import_system_collations(1)',
      'brin_summarize_new_values(1)',
      'gin_clean_pending_list(1)',
    ],
    ...[
      'setseed(0.5)',
      "json_populate_record(null, '{}')",
      "regclass('orders')",
      'getpgusername()',
      'binary_upgrade_set_record_init_privs(true)',
    ],
    ...[
      'secret_of_the_owner()',
      'public.secret_of_the_owner()',
      'my_lower(name)',
      'sales.count(id)',
      'public.lower(name)',
      '"LOWER"(name)',
    ],
  ];
  test.each(dangerous)('%s is called in no place of a query', (call) => {
    expectRejected(`select ${call}`);
    expectRejected(`select * from ${call}`);
    expectRejected(`select * from rows from (${call}) x`);
    expectRejected(`select * from customers where ${call} is null`);
    expectRejected(`with a as (select ${call}) select 1`);
    expectRejected(`select count(*) filter (where ${call} is null) from customers`);
    expectRejected(`select 1 from customers limit (select ${call})`);
    if (!/^(public|sales|")/.test(call)) expectRejected(`select pg_catalog.${call}`);
  });

  test.each([
    "select treat('10' as pg_sleep)",
    'select collation for (name) from customers',
    'select current_user',
    'select session_user',
    'select user',
    'select current_role',
    'select current_catalog',
    'select current_schema',
    'select system_user',
    'select * from current_user',
    'select other.pg_catalog.lower(name)',
    'select "pg_catalog "."lower"(name)',
    'select 1 operator(hr.+) 1',
    'select 1 = any (array[1]) or 1 operator(evil.=) any (array[1])',
    'select 1 operator(evil.=) all (select 1)',
    'select * from customers order by id using operator(evil.<)',
    'select name collate evil."C" from customers',
    'select pg_sleep from (select pg_sleep(10)) x',
    'select U&"pg_sl\\0065ep"(10)',
    'select "pg_sleep"(10)',
    'select pg_sleep /* */ (10)',
  ])('%s', (sql) => {
    expectRejected(sql);
  });

  test('an operator may allow one by its name, and only as written', () => {
    const functions = new Set(['similarity', 'public.rank_of']);
    expect(inner('select similarity(name, $1), public.rank_of(id) from customers', { functions })).toBe(
      'select similarity(name, $1), public.rank_of(id) from "public".customers',
    );
    expectRejected('select rank_of(id) from customers', { functions });
    expectRejected('select sales.similarity(name, $1) from customers', { functions });
  });
});

describe('types', () => {
  test.each([
    "select 'orders'::regclass",
    "select 'orders'::pg_catalog.regclass",
    "select cast('pg_sleep' as regproc)",
    "select 'a'::regprocedure",
    "select 'a'::regrole",
    "select 'a'::regnamespace",
    "select 'a'::regtype",
    "select regclass 'orders'",
    "select '{orders}'::regclass[]",
    'select (null::orders).*',
    'select null::public.orders',
    'select null::pg_catalog.pg_authid',
    "select 'a'::refcursor",
    "select 'a'::aclitem",
    "select 'a'::evil_domain",
    'select null::orders.secret%type',
    "select * from json_to_record('{}') as x(a orders)",
  ])('%s', (sql) => {
    expectRejected(sql);
  });

  test('an operator may allow one', () => {
    const types = new Set(['mood', 'public.vector']);
    expect(() => inner("select 'a'::mood, '[1]'::public.vector", { types })).not.toThrow();
    expectRejected("select '[1]'::vector", { types });
  });
});

describe('bounds', () => {
  /** Nested as deeply as the parser is let. */
  const towers: Record<string, (levels: number) => string> = {
    sums: (n) => `select 1${'+1'.repeat(n)}`,
    brackets: (n) => `select ${'('.repeat(n)}1${')'.repeat(n)}`,
    nots: (n) => `select ${'not '.repeat(n)}true`,
    subqueries: (n) => `select ${'(select '.repeat(n)}1${')'.repeat(n)}`,
    'queries in FROM': (n) => `select 1 from ${'(select 1 from '.repeat(n)}customers${') x'.repeat(n)}`,
    cases: (n) => `select ${'case when '.repeat(n)}true${' then 1 end'.repeat(n)}`,
    arrays: (n) => `select ${'array['.repeat(n)}1${']'.repeat(n)}`,
    unions: (n) => `select 1${' union select 1'.repeat(n)}`,
    casts: (n) => `select 1${'::int'.repeat(n)}`,
    functions: (n) => `select ${'abs('.repeat(n)}1${')'.repeat(n)}`,
    joins: (n) => `select 1 from customers${' cross join customers'.repeat(n)}`,
    withs: (n) => `${'with a as ('.repeat(n)}select 1${') select 1'.repeat(n)}`,
    minuses: (n) => `select ${'- '.repeat(n)}1`,
    lists: (n) => `select 1${',1'.repeat(n)}`,
  };
  const witness = 'select lower(name), (select count(*) from customers) from customers where id = 1';

  test.each(Object.keys(towers))(
    '%s: however high, it is answered, and the next query is read as ever',
    (name) => {
      const before = seal(witness);
      for (const levels of [10, 100, 150, 400, 600, 660, 990, 999, 1990, 3000, 30_000]) {
        try {
          seal(towers[name]!(levels));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(QueryRejected);
        }
        expect(seal(witness)).toBe(before);
      }
    },
  );

  test('a query is not longer than 20,000 characters and 2,000 words', () => {
    expect(() => seal(`select '${'a'.repeat(19_900)}'`)).not.toThrow();
    expect(() => seal(`select '${'a'.repeat(20_000)}'`)).toThrow('longer than 20000 characters');
    expect(() => seal(`select 1${',1'.repeat(900)}`)).not.toThrow();
    expect(() => seal(`select 1${',1'.repeat(1000)}`)).toThrow('more than 2000 words');
  });

  test('what is sent may be as long as its qualifiers make it', () => {
    const calls = Array.from({ length: 390 }, () => 'abs(1)').join(',');
    expect(inner(`select ${calls}`).match(/"pg_catalog"/g)).toHaveLength(390);
  });
});

test('what PostgreSQL could take for a call of a function is told', () => {
  const { fields, operators } = sealQuery(
    parser,
    'select c.name, (c).total, (c.data).x[1], city, c.*, public.customers.id from customers c where 1 + 2 @@ 3 order by id using operator(public.<<)',
    customers,
    10,
  );
  expect([...fields].toSorted()).toEqual(['customers', 'data', 'id', 'name', 'total', 'x']);
  expect([...operators]).toEqual(expect.arrayContaining(['=', '<', '+', '@@', '<<']));
});

test('the words of a refusal say what to do', () => {
  expect(() => seal('select * from orders')).toThrow(
    'public.orders is not the table of this resource_uri: only public.customers can be asked here',
  );
  expect(() => seal('delete from customers')).toThrow('DELETE is not allowed here: one SELECT is');
  expect(() => seal('select * from customers for update')).toThrow('FOR UPDATE and FOR SHARE is not allowed');
  expect(() => seal('select pg_sleep(1)')).toThrow('The function pg_sleep is not allowed here');
});
