import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { type CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { needsPostgres, postgresFolder, type RunningPostgres, startPostgres } from '../support/postgres.ts';
import { residentMiB } from '../support/resident-memory.ts';
import { createTenantDatabases, type Login, logins } from '../support/tenant-databases.ts';

const program = path.resolve(import.meta.dirname, '../../dist/servers/database/main.js');
const tenantId = 'tenant_001';
const uriOf = (table: string): string => `mcp://${tenantId}/database/table/${table}`;

interface OpenServer {
  readonly client: Client;
  readonly pid: number;
  /** Everything the process has written to stderr. */
  readonly stderr: () => string;
}

interface Failure {
  readonly error: string;
  readonly code: string;
  readonly hint?: string;
  readonly vendorCode?: string;
}

interface Answer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
  readonly row_count: number;
  readonly truncated: boolean;
  readonly truncated_by?: string;
  readonly cut_values: number;
}

const suite = postgresFolder === undefined ? describe.skip : describe;

suite(`the database server (${needsPostgres})`, () => {
  let postgres: RunningPostgres;
  const opened: OpenServer[] = [];
  /** All that any client was told and all that was logged, to look for secrets in at the end. */
  let said = '';

  beforeAll(async () => {
    postgres = await startPostgres();
    await createTenantDatabases(postgres);
  }, 90_000);
  afterAll(() => postgres.stop());

  const environmentOf = ({ database, user, password }: Login, more: Record<string, string> = {}) => ({
    PATH: process.env['PATH'] ?? '',
    TENANT_ID: tenantId,
    DB_HOST: '127.0.0.1',
    DB_PORT: String(postgres.port),
    DB_NAME: database,
    DB_USER: user,
    DB_PASSWORD: password,
    ...more,
  });

  async function openWith(env: Record<string, string>, options: string[] = []): Promise<OpenServer> {
    let stderr = '';
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [...options, program],
      env,
      stderr: 'pipe',
    });
    transport.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      said += chunk.toString();
    });
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(transport);
    const server = { client, pid: transport.pid ?? 0, stderr: () => stderr };
    opened.push(server);
    return server;
  }
  const open = (login: Login = logins.one, more: Record<string, string> = {}) =>
    openWith(environmentOf(login, more));
  const closeAll = () => Promise.all(opened.splice(0).map(({ client }) => client.close()));

  async function call(server: OpenServer, name: string, args: object = {}): Promise<CallToolResult> {
    const result = (await server.client.callTool({ name, arguments: { ...args } })) as CallToolResult;
    said += JSON.stringify(result);
    return result;
  }
  const textIn = ({ content: [first] }: CallToolResult): string => (first?.type === 'text' ? first.text : '');

  async function query(server: OpenServer, sql: string, more: object = {}): Promise<Answer> {
    const result = await call(server, 'query_tenant_data', {
      resource_uri: uriOf('customers'),
      query: sql,
      ...more,
    });
    expect(textIn(result), sql).not.toContain('"error"');
    expect(JSON.parse(textIn(result))).toEqual(result.structuredContent);
    return result.structuredContent as unknown as Answer;
  }
  async function failureOf(server: OpenServer, sql: string, more: object = {}): Promise<Failure> {
    const result = await call(server, 'query_tenant_data', {
      resource_uri: uriOf('customers'),
      query: sql,
      ...more,
    });
    expect(result.isError, `${sql}: ${textIn(result)}`).toBe(true);
    return JSON.parse(textIn(result)) as Failure;
  }

  describe('asked by the official client', () => {
    let server: OpenServer;
    beforeAll(async () => {
      server = await open(logins.one, { DB_SCHEMAS: 'public, sales' });
    });
    afterAll(closeAll);

    test('its tools only read, and say so', async () => {
      const { tools } = await server.client.listTools();
      expect(tools.map(({ name }) => name)).toEqual([
        'list_tenant_resources',
        'query_tenant_data',
        'get_tenant_metadata',
      ]);
      for (const { annotations } of tools)
        expect(annotations).toMatchObject({ readOnlyHint: true, destructiveHint: false });
      const ask = tools.find(({ name }) => name === 'query_tenant_data');
      expect(Object.keys(ask?.inputSchema.properties ?? {})).toEqual([
        'resource_uri',
        'query',
        'limit',
        'params',
      ]);
    });

    test('it lists what the role may read, and nothing else by name', async () => {
      const result = await call(server, 'list_tenant_resources', { resource_type: 'database' });
      expect(result.structuredContent).toEqual({
        tenant_id: tenantId,
        resources: [
          {
            uri: uriOf('Gr%C3%B6%C3%9Fe%20100%25%2FJahr'),
            type: 'table',
            schema: 'public',
            name: 'Größe 100%/Jahr',
          },
          { uri: uriOf('big_customers'), type: 'view', schema: 'public', name: 'big_customers' },
          {
            ...{ uri: uriOf('customers'), type: 'table', schema: 'public', name: 'customers' },
            description: 'Who buys from one',
          },
          { uri: uriOf('events'), type: 'table', schema: 'public', name: 'events' },
          { uri: uriOf('orders'), type: 'table', schema: 'public', name: 'orders' },
          { uri: uriOf('sales.invoices'), type: 'table', schema: 'sales', name: 'invoices' },
        ],
      });
      const views = await call(server, 'list_tenant_resources', { resource_type: 'view' });
      expect(views.structuredContent).toMatchObject({ resources: [{ name: 'big_customers' }] });
      expect(views.structuredContent?.['resources']).toHaveLength(1);
    });

    test('a long list comes in pages', async () => {
      const names: string[] = [];
      let pageToken: string | undefined;
      do {
        const args = { resource_type: 'table', maxRecords: 2, ...(pageToken !== undefined && { pageToken }) };
        const { structuredContent } = await call(server, 'list_tenant_resources', args);
        const page = structuredContent as unknown as {
          resources: { name: string }[];
          nextPageToken?: string;
        };
        names.push(...page.resources.map(({ name }) => name));
        expect(page.resources.length).toBeLessThanOrEqual(2);
        pageToken = page.nextPageToken;
      } while (pageToken !== undefined);
      expect(names).toEqual(['Größe 100%/Jahr', 'customers', 'events', 'orders', 'invoices']);
      const forged = Buffer.from('["list_tenant_resources",{"schema":1}]').toString('base64url');
      for (const token of ['x', forged]) {
        const result = await call(server, 'list_tenant_resources', { pageToken: token });
        expect(JSON.parse(textIn(result))).toMatchObject({ code: 'INVALID_INPUT' });
      }
    });

    test('tables are resources: what is read is their columns, never their rows', async () => {
      const { resources } = await server.client.listResources();
      expect(resources.map(({ uri }) => uri)).toContain(uriOf('customers'));
      expect(JSON.stringify(resources)).not.toMatch(/secrets|salaries|events_2026/);
      const { resourceTemplates } = await server.client.listResourceTemplates();
      expect(resourceTemplates[0]?.uriTemplate).toBe('mcp://tenant_001/database/table/{name}');
      const { contents } = await server.client.readResource({ uri: uriOf('customers') });
      const [content] = contents as { text: string }[];
      said += JSON.stringify(contents);
      const table = JSON.parse(content?.text ?? '') as { columns: unknown[] };
      expect(table.columns).toHaveLength(7);
      expect(table.columns.slice(0, 4)).toEqual([
        { name: 'id', type: 'bigint', nullable: false, primaryKey: true },
        { name: 'name', type: 'text', nullable: false, primaryKey: false },
        { name: 'city', type: 'character varying(50)', nullable: true, primaryKey: false },
        { name: 'total', type: 'numeric(12,2)', nullable: true, primaryKey: false, description: 'In euros' },
      ]);
      expect(content?.text).not.toContain('customer 1 of one');
    });

    test.each([
      'secrets',
      'nothing',
      'hr.salaries',
      'pg_catalog.pg_authid',
      'information_schema.tables',
      'numbers',
    ])('the resource %s is not there, in the same words whatever the reason', async (name) => {
      const expected = {
        code: -32002,
        message: expect.stringContaining('There is no such table, or it is not for this role') as string,
      };
      await expect(server.client.readResource({ uri: uriOf(name) })).rejects.toMatchObject(expected);
      const failure = await failureOf(server, 'SELECT 1', { resource_uri: uriOf(name) });
      expect(failure).toMatchObject({
        code: 'NOT_FOUND',
        error: 'There is no such table, or it is not for this role',
      });
    });

    test('values keep what they are', async () => {
      const answer = await query(
        server,
        `SELECT id, name, total, data, photo, joined, null AS nothing, true AS yes, 1.5::float8 AS half, 'NaN'::float8 AS nan,
           '{"id": 9007199254740993}'::json AS big, array[1, 2] AS list, interval '1 day 2 hours' AS span, id AS id
         FROM customers ORDER BY id LIMIT 1`,
      );
      expect(answer.columns.map(({ name, type }) => `${name} ${type}`).slice(0, 6)).toEqual([
        ...['id int8', 'name text', 'total numeric', 'data jsonb', 'photo bytea', 'joined timestamptz'],
      ]);
      expect(answer.columns.filter(({ name }) => name === 'id')).toHaveLength(2);
      expect(answer.rows).toEqual([
        [
          ...['9007199254740993', 'customer 1 of one', '1.50', { n: 1 }, '\\x00ff', '2026-01-02 02:04:05+00'],
          ...[null, true, 1.5, 'NaN', '{"id": 9007199254740993}', '{1,2}', 'P1DT2H', '9007199254740993'],
        ],
      ]);
      expect(answer).toMatchObject({ row_count: 1, truncated: false, cut_values: 0 });
    });

    test('values of the question go into params', async () => {
      const hostile = `'; DROP TABLE customers; --`;
      const answer = await query(
        server,
        'SELECT name, $2::text FROM customers WHERE id = ANY ($1) AND total > $3 ORDER BY id',
        { params: [['9007199254740993', '9007199254740994', null], hostile, 2] },
      );
      expect(answer.rows).toEqual([['customer 2 of one', hostile]]);
      expect(await failureOf(server, 'SELECT $1::int', { params: ['x'] })).toMatchObject({
        code: 'REJECTED',
        vendorCode: '22P02',
      });
      expect((await failureOf(server, 'SELECT $2::int', { params: [1] })).vendorCode).toBeDefined();
    });

    test('quoted names, another schema, a view and a partitioned table can be asked', async () => {
      const quoted = { resource_uri: uriOf('Gr%C3%B6%C3%9Fe%20100%25%2FJahr') };
      expect((await query(server, 'SELECT "a""b" FROM "Größe 100%/Jahr"', quoted)).rows).toEqual([
        ['quoted'],
      ]);
      await query(server, 'SELECT * FROM invoices', { resource_uri: uriOf('sales.invoices') });
      await query(server, 'TABLE big_customers', { resource_uri: uriOf('big_customers') });
      await query(server, 'SELECT * FROM events', { resource_uri: uriOf('events') });
    });

    test('a column name makes no call of a function with a name like it', async () => {
      // `c.pg_typeof` is pg_typeof(c) to PostgreSQL; of the catalogue only what takes a whole row can be reached so.
      for (const name of ['pg_sleep', 'pg_read_file', 'query_to_xml', 'lo_create', 'pg_notify'])
        expect((await failureOf(server, `SELECT c.${name} FROM customers c`)).vendorCode).toBe('42703');
    });

    test('metadata tell of limits and version, and never of user or password', async () => {
      const result = await call(server, 'get_tenant_metadata');
      expect(result.structuredContent).toMatchObject({
        ...{ tenant_id: tenantId, database_host: '127.0.0.1', database_name: 'db_one' },
        server_version: expect.stringMatching(/^\d\d/) as string,
        limits: { max_rows: 1000, statement_timeout_ms: 10_000, max_concurrent_connections: 5 },
      });
      expect(JSON.stringify(result)).not.toContain(logins.one.user);
    });

    test('PostgreSQL’s own words say what is wrong with a query', async () => {
      expect(await failureOf(server, 'SELECT nme FROM customers')).toMatchObject({
        code: 'REJECTED',
        vendorCode: '42703',
        error: 'column "nme" does not exist',
      });
      expect(await failureOf(server, 'SELEC 1')).toMatchObject({
        code: 'QUERY_REJECTED',
        error: 'PostgreSQL does not read this: syntax error at or near "SELEC"',
      });
    });

    test.each([
      [{}, 'resource_uri'],
      [{ resource_uri: uriOf('customers') }, 'query'],
      [{ resource_uri: uriOf('customers'), query: 'SELECT 1', limit: 0 }, 'limit'],
      [{ resource_uri: uriOf('customers'), query: 'SELECT 1', params: [{}] }, 'params'],
      [{ resource_uri: uriOf('customers'), query: 'SELECT 1', tenant: 'tenant_002' }, 'tenant'],
      [{ resource_uri: 'customers', query: 'SELECT 1' }, 'resource_uri'],
    ])('arguments that cannot be right are refused: %j', async (args, word) => {
      const result = await call(server, 'query_tenant_data', args);
      expect(JSON.parse(textIn(result))).toMatchObject({ code: 'INVALID_INPUT' });
      expect(textIn(result)).toContain(word);
    });
  });

  describe('attacked', () => {
    let server: OpenServer;
    beforeAll(async () => {
      server = await open(logins.one, { DB_STATEMENT_TIMEOUT_MS: '1500', DB_ALLOWED_RELATIONS: 'orders' });
    });
    afterAll(closeAll);

    /** Whatever was tried: nothing has changed, and nothing was seen. */
    afterEach(async () => {
      const [state] = await postgres.sql(
        'db_one',
        `SELECT (SELECT count(*) FROM customers) AS customers, (SELECT last_value FROM numbers) AS number,
           (SELECT count(*) FROM pg_class WHERE relname LIKE 'stolen%') AS tables`,
      );
      expect(state).toEqual({ customers: '50', number: '1', tables: '0' });
      // A failure must not print all of it.
      expect(said.includes('nobody may read this')).toBe(false);
    });

    test.each([
      'SELECT 1; COMMIT; DELETE FROM customers',
      'COMMIT',
      'SET TRANSACTION READ WRITE',
      'LISTEN x',
      'COPY customers TO STDOUT',
      'SHOW ALL',
      'BEGIN READ WRITE',
      'WITH d AS (DELETE FROM customers RETURNING *) SELECT * FROM d',
      'SELECT * INTO stolen FROM customers',
      'SELECT * FROM customers FOR UPDATE',
      'SELECT boom(1)',
      'SELECT public.boom(1)',
      'DO $$ BEGIN DELETE FROM customers; END $$',
      "SELECT nextval('numbers')",
      "SELECT setval('numbers', 9)",
      'CREATE TEMP TABLE stolen AS SELECT 1',
      'EXPLAIN ANALYZE DELETE FROM customers',
      "SELECT set_config('transaction_read_only', 'off', true)",
      "SELECT set_config('statement_timeout', '0', false)",
      'SELECT pg_sleep(10)',
      'SELECT 1) q; COMMIT; SELECT * FROM (SELECT 1',
      'SELECT 1) q UNION SELECT 2 FROM (SELECT 1',
      'SELECT pg_advisory_lock(1)',
      'SELECT secret_of_the_owner()',
      "SELECT pg_notify('x', 'y')",
      'SELECT lo_create(0)',
      "SELECT pg_read_file('/etc/passwd')",
      "COPY customers TO PROGRAM 'id'",
      'SELECT pg_stat_reset()',
      "SELECT query_to_xml('select * from secrets', true, true, '')",
      'SELECT * FROM secrets',
      'SELECT * FROM public.secrets',
      'SELECT * FROM customers, secrets',
      'SELECT * FROM sales.invoices',
      'SELECT * FROM pg_shadow',
      'SELECT * FROM pg_stat_activity',
      'SELECT datname FROM pg_database',
      'SELECT * FROM information_schema.tables',
      "SELECT 'secrets'::regclass",
      'SELECT (null::secrets).*',
      'SELECT current_user',
      "SELECT current_setting('server_version')",
      'SELECT 1\u0000; DROP TABLE customers',
    ])('%j is not sent', async (sql) => {
      const before = postgres.log().length;
      expect((await failureOf(server, sql)).code).toBe('QUERY_REJECTED');
      // Not a word of it has reached the server.
      expect(postgres.log().slice(before)).not.toContain('AS result LIMIT');
    });

    test.each([
      'SELECT c.secret_of_row FROM customers c',
      'SELECT (c).secret_of_row FROM customers c',
      'SELECT customers.secret_of_row FROM customers',
      'SELECT x.c.secret_of_row FROM (SELECT c FROM customers c) x',
      'SELECT (SELECT c.secret_of_row) FROM customers c',
      'SELECT c.next_number FROM customers c',
      'SELECT c.secret_of_any FROM customers c',
      'SELECT o.secret_of_any FROM orders o',
      'SELECT id @#@ id FROM customers',
      'SELECT id OPERATOR(public.@#@) id FROM customers',
      'SELECT id @#@ ANY (ARRAY[id]) FROM customers',
    ])('%s calls the owner’s function without naming one, and is not sent', async (sql) => {
      const before = postgres.log().length;
      expect((await failureOf(server, sql)).error).toMatch(
        /would call a function|PostgreSQL does not|not the table/,
      );
      expect(postgres.log().slice(before)).not.toContain('AS result LIMIT');
    });

    test('a function of the owner’s that has the name of a built-in one is not the one that is called', async () => {
      expect((await failureOf(server, 'SELECT lower(id) FROM customers')).vendorCode).toBe('42883');
      expect((await query(server, "SELECT lower('ABC')")).rows).toEqual([['abc']]);
    });

    test('a text with a backslash ends where the parser thinks, whatever the role’s settings are', async () => {
      await postgres.sql('db_one', 'ALTER ROLE reader_one SET standard_conforming_strings = off');
      // To a server that takes \' for a quote the text ends early, and the rest would be a query over another table.
      const text = String.raw`\' , (SELECT count(*) FROM events) --`;
      expect((await query(server, `SELECT '${text.replace("'", "''")}'`)).rows).toEqual([[text]]);
      await postgres.sql('db_one', 'ALTER ROLE reader_one RESET standard_conforming_strings');
    });

    test('a query that runs for ever is ended by the server', async () => {
      for (const sql of [
        'SELECT count(*) FROM generate_series(1, 100000000000)',
        'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t',
        'SELECT count(*) FROM customers a, customers b, customers c, customers d, customers e, customers f',
      ]) {
        const began = performance.now();
        expect(await failureOf(server, sql)).toMatchObject({ code: 'TIMED_OUT', vendorCode: '57014' });
        expect(performance.now() - began).toBeLessThan(8_000);
      }
    });

    test('a pattern that backtracks without end too', async () => {
      const sql = `SELECT repeat('a', 100000) ~ '(a*)*(a*)*(a*)*b\\1'`;
      const result = await call(server, 'query_tenant_data', {
        resource_uri: uriOf('customers'),
        query: sql,
      });
      const code = result.isError === true ? (JSON.parse(textIn(result)) as Failure).code : 'answered';
      expect(['TIMED_OUT', 'REJECTED', 'answered']).toContain(code);
    });

    test('rows without end are as many as asked for, and told to be more', async () => {
      const endless = 'SELECT n FROM generate_series(1, 5000) n';
      expect(await query(server, endless, { limit: 3 })).toMatchObject({
        rows: [[1], [2], [3]],
        truncated: true,
        truncated_by: 'rows',
      });
      expect(await query(server, 'SELECT 1', { limit: 1 })).toMatchObject({ row_count: 1, truncated: false });
      // The operator's own limit is higher than what a client may ask for.
      const [first, second] = [
        await query(server, endless, { limit: 1_000_000 }),
        await query(server, endless),
      ];
      expect([first.row_count, first.truncated, second.row_count]).toEqual([1000, true, 100]);
    });

    test('a large value is cut, a large answer ends early, and the process stays small', async () => {
      const cut = await query(server, "SELECT repeat('x', 50000) AS long, 'short'");
      expect(cut).toMatchObject({ cut_values: 1, truncated: false });
      expect(cut.rows[0]?.[0]).toBe(`${'x'.repeat(8192)}…`);
      const wide = await query(server, "SELECT repeat('x', 8000) FROM generate_series(1, 500)", {
        limit: 500,
      });
      expect(wide).toMatchObject({ truncated: true, truncated_by: 'bytes' });
      expect(wide.row_count).toBeGreaterThan(20);
      expect(JSON.stringify(wide).length).toBeLessThan(300_000);
      expect((await failureOf(server, "SELECT repeat('x', 5000000)")).code).toBe('RESULT_TOO_LARGE');
      const doubled =
        "WITH RECURSIVE t(x, n) AS (SELECT 'x', 1 UNION ALL SELECT x || x, n + 1 FROM t WHERE n < 29) SELECT x FROM t WHERE n = 29";
      expect(['RESULT_TOO_LARGE', 'TIMED_OUT']).toContain((await failureOf(server, doubled)).code);
      expect(residentMiB(server.pid)).toBeLessThan(300);
      expect((await query(server, 'SELECT 1')).rows).toEqual([[1]]);
    });

    test('an allowed table stands beside, another does not', async () => {
      const { rows } = await query(
        server,
        'SELECT o.note FROM customers c JOIN orders o ON o.customer_id = c.id ORDER BY o.id LIMIT 1',
      );
      expect(rows).toEqual([['order 1 of one']]);
    });

    test('nothing a question did outlives its connection', async () => {
      await eventually(async () => (await postgres.activity()).length === 0);
      const before = postgres.log().length;
      await query(server, 'SELECT * FROM customers');
      await failureOf(server, 'SELECT nothing FROM customers');
      expect(await postgres.activity()).toEqual([]);
      expect(postgres.log().slice(before)).not.toMatch(/unexpected EOF on client connection/);
    });
  });

  describe('asked for another tenant’s', () => {
    let server: OpenServer;
    beforeAll(async () => {
      server = await open();
    });
    afterAll(closeAll);

    test.each([
      'mcp://tenant_002/database/table/customers',
      'mcp://TENANT_001/database/table/customers',
      'mcp://tenant_001@tenant_002/database/table/customers',
      'mcp://tenant_001/../tenant_002/database/table/customers',
      'mcp://tenant_001/%2e%2e/tenant_002/database/table/customers',
    ])('%s is forbidden, and an operator is told', async (uri) => {
      const before = { log: postgres.log().length, stderr: server.stderr().length };
      const failure = await failureOf(server, 'SELECT * FROM customers', { resource_uri: uri });
      expect(failure).toMatchObject({ code: 'FORBIDDEN', error: 'The URI is not of this tenant' });
      await expect(server.client.readResource({ uri })).rejects.toThrow('The URI is not of this tenant');
      const reports = await eventually(() => {
        const lines = server.stderr().slice(before.stderr).split('\n');
        const found = lines.filter((line) => line.startsWith('mcp-security-event: '));
        return found.length === 2 && found;
      });
      for (const report of reports)
        expect(JSON.parse(report.slice('mcp-security-event: '.length))).toEqual({
          code: 'FORBIDDEN',
          message: 'The URI is not of this tenant',
          subject: uri,
        });
      // The database was not even asked.
      expect(postgres.log().slice(before.log)).not.toContain('mcp-database');
    });

    test('a long one makes a short line', async () => {
      const uri = `mcp://tenant_002/${'\n\u001b[2J'.repeat(10_000)}`;
      expect((await failureOf(server, 'SELECT 1', { resource_uri: uri })).code).toBe('FORBIDDEN');
      const line = await eventually(() =>
        server
          .stderr()
          .split('\n')
          .find((each) => each.includes('\\u001b')),
      );
      expect(line.length).toBeLessThan(4_096);
    });
  });

  describe('with a role that no tenant should have', () => {
    afterEach(closeAll);

    test.each(['superuser', 'memberOfSuperuser', 'fileReader', 'switched'] as const)(
      '%s: nothing is asked',
      async (role) => {
        const server = await open(logins[role]);
        const before = postgres.log().length;
        expect(await failureOf(server, 'SELECT * FROM customers')).toMatchObject({ code: 'UNSAFE_ROLE' });
        for (const name of ['list_tenant_resources', 'get_tenant_metadata'])
          expect(JSON.parse(textIn(await call(server, name)))).toMatchObject({ code: 'UNSAFE_ROLE' });
        await expect(server.client.listResources()).rejects.toThrow('nothing was asked');
        expect(postgres.log().slice(before)).not.toContain('customers');
      },
    );

    test('one that became a superuser after the start is refused from then on', async () => {
      const server = await open();
      await query(server, 'SELECT 1');
      await postgres.sql('postgres', 'ALTER ROLE reader_one SUPERUSER');
      expect((await failureOf(server, 'SELECT 1')).code).toBe('UNSAFE_ROLE');
      await postgres.sql('postgres', 'ALTER ROLE reader_one NOSUPERUSER');
      await query(server, 'SELECT 1');
    });

    test('one that may write is told of, once, and still cannot write', async () => {
      const server = await open(logins.writer);
      await query(server, 'SELECT count(*) FROM customers');
      await query(server, 'SELECT count(*) FROM customers');
      expect(server.stderr().match(/"event":"role.writable"/g)).toHaveLength(1);
      const quiet = await open(logins.writer, {
        DB_ALLOW_WRITABLE_ROLE: 'true',
        DB_ALLOWED_FUNCTIONS: 'boom',
      });
      // Even a function an operator allowed by mistake.
      expect((await failureOf(quiet, 'SELECT boom(1)')).vendorCode).toBe('25006');
      expect(quiet.stderr()).not.toContain('role.writable');
    });
  });

  describe('when the database is away', () => {
    afterEach(closeAll);

    test('a wrong password is told without a word of it, or of user and host', async () => {
      const server = await open({ ...logins.one, password: 'a-wrong-password' });
      const failure = await failureOf(server, 'SELECT 1');
      expect(failure).toMatchObject({ code: 'UNAUTHENTICATED', vendorCode: '28P01' });
      expect(JSON.stringify(failure) + server.stderr()).not.toMatch(
        /a-wrong-password|reader_one|127\.0\.0\.1/,
      );
    });

    test('a database that is not there, and one that does not listen', async () => {
      const noDatabase = await open({ ...logins.one, database: 'db_three' });
      expect((await failureOf(noDatabase, 'SELECT 1')).code).toBe('UNAVAILABLE');
      const forbidden = await open({ ...logins.one, database: logins.two.database });
      const denied = await failureOf(forbidden, 'SELECT 1');
      expect(['FORBIDDEN', 'UNAUTHENTICATED']).toContain(denied.code);
      const nobody = await open(logins.one, { DB_PORT: '1' });
      const failure = await failureOf(nobody, 'SELECT 1');
      expect(failure).toMatchObject({ code: 'UNAVAILABLE' });
      expect(failure.error).toBe('The database cannot be reached, or ended the connection (ECONNREFUSED)');
    });

    test('one that is killed in the middle of a query is asked again as soon as it is back', async () => {
      const server = await open();
      const asking = call(server, 'query_tenant_data', {
        resource_uri: uriOf('customers'),
        query: 'SELECT count(*) FROM generate_series(1, 100000000000)',
      });
      await eventually(async () => (await postgres.running('generate_series')).length === 1);
      await postgres.crash();
      expect(JSON.parse(textIn(await asking))).toMatchObject({ code: 'UNAVAILABLE' });
      expect((await failureOf(server, 'SELECT 1')).code).toBe('UNAVAILABLE');
      await postgres.start();
      expect((await query(server, 'SELECT 1')).rows).toEqual([[1]]);
    });
  });

  describe('with several questions at once', () => {
    afterEach(closeAll);
    const long = 'SELECT count(*) FROM generate_series(1, 100000000000)';

    test('no more connections are open than allowed, and the others wait', async () => {
      const server = await open(logins.one, { DB_MAX_CONNECTIONS: '2', DB_STATEMENT_TIMEOUT_MS: '1000' });
      const asked = Array.from({ length: 6 }, () => failureOf(server, long));
      let most = 0;
      const answered = Promise.all(asked);
      const watch = async (): Promise<void> => {
        most = Math.max(most, (await postgres.activity()).length);
      };
      const done = answered.then(() => 'done' as const);
      while ((await Promise.race([done, watch()])) !== 'done');
      expect((await answered).map(({ code }) => code)).toEqual(Array(6).fill('TIMED_OUT'));
      expect(most).toBe(2);
    });

    test('a call that is called off frees the server within a second', async () => {
      const server = await open(logins.one, { DB_STATEMENT_TIMEOUT_MS: '60000' });
      const stop = new AbortController();
      const args = { resource_uri: uriOf('customers'), query: long };
      const asking = server.client.callTool({ name: 'query_tenant_data', arguments: args }, undefined, {
        signal: stop.signal,
      });
      asking.catch(() => undefined);
      await eventually(async () => (await postgres.running('generate_series')).length === 1);
      stop.abort();
      await expect(asking).rejects.toThrow();
      await eventually(async () => (await postgres.activity()).length === 0, 5_000);
      await query(server, 'SELECT 1');
    });

    test('so does a client that goes away', async () => {
      const server = await open(logins.one, { DB_STATEMENT_TIMEOUT_MS: '60000' });
      const args = { resource_uri: uriOf('customers'), query: long };
      server.client.callTool({ name: 'query_tenant_data', arguments: args }).catch(() => undefined);
      await eventually(async () => (await postgres.running('generate_series')).length === 1);
      await server.client.close();
      await eventually(async () => (await postgres.activity()).length === 0, 5_000);
    });
  });

  describe('over TLS', () => {
    afterEach(closeAll);
    const tls = (more: Record<string, string>) => open(logins.one, { DB_HOST: 'localhost', ...more });

    test('with a certificate that proves the host, or without proof if an operator says so', async () => {
      for (const server of [
        await tls({ DB_SSLMODE: 'verify-full', DB_SSLROOTCERT: postgres.certificate }),
        await tls({ DB_SSLMODE: 'require' }),
      ]) {
        const before = postgres.log().length;
        await query(server, 'SELECT 1');
        expect(postgres.log().slice(before)).toContain('SSL enabled');
        expect((await failureOf(server, "SELECT repeat('x', 5000000)")).code).toBe('RESULT_TOO_LARGE');
      }
    });

    test('a certificate nobody vouches for, or for another host, is refused', async () => {
      const unknown = await tls({ DB_SSLMODE: 'verify-full' });
      expect(await failureOf(unknown, 'SELECT 1')).toMatchObject({ code: 'UNAVAILABLE' });
      const trusted = { DB_SSLMODE: 'verify-full', DB_SSLROOTCERT: postgres.certificate };
      const other = await tls({ ...trusted, DB_HOST: '127.0.0.1' });
      expect(await failureOf(other, 'SELECT 1')).toMatchObject({ code: 'UNAVAILABLE' });
    });
  });

  test('a parser that failed is not asked again: the process ends, and another one begins', async () => {
    // With little stack the parser fails where it otherwise would not.
    const server = await openWith(environmentOf(logins.one), ['--stack-size=100']);
    await query(server, 'SELECT 1');
    const gone = new Promise<void>((resolve) => (server.client.onclose = resolve));
    const deep = `SELECT ${'(SELECT '.repeat(490)}1${')'.repeat(490)}`;
    expect((await failureOf(server, deep)).code).toBe('INTERNAL_ERROR');
    await gone;
    expect(server.stderr()).toContain('"event":"parser.broken"');
  });

  describe('with its settings in a JSON file', () => {
    let dir: string;
    beforeEach(() => {
      dir = mkdtempSync(path.join(tmpdir(), 'mtp-configs-'));
    });
    afterEach(async () => {
      await closeAll();
      rmSync(dir, { recursive: true });
    });
    const write = (config: object, name = tenantId) =>
      writeFileSync(path.join(dir, `${name}.json`), JSON.stringify(config));
    const configOf = (more: object = {}) => ({
      tenant_id: tenantId,
      db_host: '127.0.0.1',
      db_port: postgres.port,
      db_name: 'db_one',
      db_user: 'reader_one',
      db_password: '${TENANT_001_DB_PASSWORD:default_password}',
      api_keys: { openai: '${TENANT_001_OPENAI_KEY:}', anthropic: '${TENANT_001_ANTHROPIC_KEY:}' },
      quotas: { max_queries_per_hour: 1000, max_queries_per_day: 10_000, max_concurrent_connections: 3 },
      features: { premium_support: true, advanced_analytics: false },
      ...more,
    });
    const env = (more: Record<string, string> = {}) => ({
      PATH: process.env['PATH'] ?? '',
      TENANT_ID: tenantId,
      TENANT_CONFIG_DIR: dir,
      TENANT_001_DB_PASSWORD: logins.one.password,
      TENANT_001_OPENAI_KEY: 'sk-openai-0123456789',
      DB_QUOTA_FOLDER: path.join(dir, 'quota'),
      ...more,
    });

    test('it works as the founding document has it, and keys are never shown', async () => {
      write(configOf());
      const server = await openWith(env());
      expect((await query(server, 'SELECT name FROM customers ORDER BY id LIMIT 1')).rows).toEqual([
        ['customer 1 of one'],
      ]);
      const metadata = await call(server, 'get_tenant_metadata');
      expect(metadata.structuredContent).toMatchObject({
        quotas: { max_queries_per_hour: 1000, max_queries_per_day: 10_000, max_concurrent_connections: 3 },
        features: { premium_support: true, advanced_analytics: false },
        limits: { max_concurrent_connections: 3 },
        usage: { queries_this_hour: 1, queries_this_day: 1 },
      });
      expect(JSON.stringify(metadata) + server.stderr()).not.toMatch(/sk-openai|password-of/);
    });

    test('a quota holds for all processes of the tenant together, and a restart forgets nothing', async () => {
      write(configOf({ quotas: { max_queries_per_day: 12 } }));
      const open = () => openWith(env());
      const askTwice = async (server: OpenServer) => {
        for (const sql of ['SELECT 1', 'SELECT name FROM customers LIMIT 1']) await query(server, sql);
      };
      const [one, two] = await Promise.all([open(), open()]);
      // What is not sent is no query.
      expect((await failureOf(one, 'DELETE FROM customers')).code).toBe('QUERY_REJECTED');
      await Promise.all([askTwice(one), askTwice(two), askTwice(one)]);
      // What is sent is one, whatever comes of it.
      expect((await failureOf(one, 'SELECT nme FROM customers')).code).toBe('REJECTED');
      await closeAll();
      const again = await open();
      const late = await Promise.all(
        Array.from({ length: 9 }, () =>
          call(again, 'query_tenant_data', { resource_uri: uriOf('customers'), query: 'SELECT 1' }),
        ),
      );
      const refused = late
        .filter(({ isError }) => isError)
        .map((result) => JSON.parse(textIn(result)) as object);
      expect(refused).toHaveLength(4);
      const day = new Date(Math.ceil(Date.now() / 86_400_000) * 86_400_000).toISOString().slice(0, 10);
      expect(refused[0]).toMatchObject({
        code: 'QUOTA_EXCEEDED',
        executed: 'no',
        retryable: true,
        error: `All 12 queries that this tenant may ask in one day are used up; the next day begins at ${day}T00:00:00Z`,
      });
      const metadata = await call(again, 'get_tenant_metadata');
      expect(metadata.structuredContent).toMatchObject({
        usage: { queries_this_day: 12 },
        usage_scope: 'tenant',
      });
    });

    test('a variable that is not set takes its default', async () => {
      write(configOf());
      const rest = Object.entries(env()).filter(([name]) => name !== 'TENANT_001_DB_PASSWORD');
      expect((await failureOf(await openWith(Object.fromEntries(rest)), 'SELECT 1')).code).toBe(
        'UNAUTHENTICATED',
      );
    });

    /** What the process says before it ends. */
    async function lastWords(variables: Record<string, string>): Promise<string> {
      let stderr = '';
      const transport = new StdioClientTransport({
        command: process.execPath,
        args: [program],
        env: variables,
        stderr: 'pipe',
      });
      transport.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      const ended = new Promise<void>((resolve) => (transport.onclose = resolve));
      await transport.start();
      await ended;
      said += stderr;
      return eventually(() => stderr !== '' && stderr);
    }

    test('what is wrong with it ends the process with a word of advice', async () => {
      expect(await lastWords(env())).toMatch(/TENANT_NOT_CONFIGURED: .*tenant_001\.json is not there/);
      write(configOf({ db_password: '${NOT_SET_ANYWHERE}' }));
      expect(await lastWords(env())).toMatch(/MISSING_VARIABLE: .*names NOT_SET_ANYWHERE/);
      write(configOf({ tenant_id: 'tenant_002' }));
      expect(await lastWords(env())).toContain('INVALID_TENANT');
      write(configOf({ db_passwrod: 'a-typed-password' }));
      expect(await lastWords(env())).toMatch(/INVALID_SETTING/);
      writeFileSync(path.join(dir, `${tenantId}.json`), '{ "db_password": "a-typed-password", }');
      expect(await lastWords(env())).toMatch(/INVALID_SETTING: .* is not JSON/);
      write(configOf());
      expect(await lastWords(env({ DB_HOST: 'elsewhere' }))).toContain(
        'DB_HOST and TENANT_CONFIG_DIR are both set',
      );
      expect(said).not.toContain('a-typed-password');
    });

    test.each(['tenant-001', 'short', 'a'.repeat(21), '../tenant_001', 'tenant_001/..', '', 'ténant_001'])(
      '%j is no tenant',
      async (id) => {
        write(configOf());
        expect(await lastWords(env({ TENANT_ID: id }))).toMatch(/INVALID_TENANT|TENANT_ID is not set/);
      },
    );

    test('another rule for ids can be set', async () => {
      write(configOf({ tenant_id: 'acme-2' }), 'acme-2');
      const server = await openWith(env({ TENANT_ID: 'acme-2', TENANT_ID_PATTERN: '[a-z0-9-]{2,30}' }));
      const { structuredContent } = await call(server, 'list_tenant_resources');
      expect(JSON.stringify(structuredContent)).toContain('mcp://acme-2/database/table/customers');
      expect(await lastWords(env({ TENANT_ID: 'a.b', TENANT_ID_PATTERN: '.*' }))).toContain('INVALID_TENANT');
    });
  });

  test('no password was in any byte that anybody was told', () => {
    expect(said.length).toBeGreaterThan(10_000);
    for (const { password, user } of Object.values(logins)) {
      expect([user, said.includes(password), said.includes(user)]).toEqual([user, false, false]);
    }
  });
});
