import { type RunningPostgres } from './postgres.ts';

/** The login of a tenant's role. */
export interface Login {
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

const loginOf = (database: string, user: string): Login => ({
  database,
  user,
  password: `password-of-${user}-0123456789`,
});

/** Two tenants with a database each, and the roles of the first that no tenant should have. */
export const logins = {
  one: loginOf('db_one', 'reader_one'),
  two: loginOf('db_two', 'reader_two'),
  writer: loginOf('db_one', 'writer_one'),
  superuser: loginOf('db_one', 'super_one'),
  memberOfSuperuser: loginOf('db_one', 'member_one'),
  fileReader: loginOf('db_one', 'files_one'),
  switched: loginOf('db_one', 'switched_one'),
} as const;

/** Makes the same tables in both, each with rows only its own tenant has. */
export async function createTenantDatabases({ sql }: RunningPostgres): Promise<void> {
  for (const { user, password } of Object.values(logins))
    await sql('postgres', `CREATE ROLE ${user} LOGIN PASSWORD '${password}'`);
  await sql(
    'postgres',
    `ALTER ROLE super_one SUPERUSER; GRANT super_one TO member_one; GRANT pg_read_server_files TO files_one;
     GRANT super_one TO switched_one; ALTER ROLE switched_one SET role = 'super_one'`,
  );
  for (const tenant of ['one', 'two'] as const) {
    const { database } = logins[tenant];
    await sql('postgres', `CREATE DATABASE ${database}`);
    await sql('postgres', `REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC`);
    const roles = Object.values(logins).filter((login) => login.database === database);
    for (const { user } of roles) await sql('postgres', `GRANT CONNECT ON DATABASE ${database} TO ${user}`);
    await sql(database, tablesOf(tenant));
  }
  await sql('db_one', `GRANT SELECT, INSERT, UPDATE, DELETE ON customers TO writer_one`);
}

const tablesOf = (tenant: 'one' | 'two'): string => `
  REVOKE CREATE ON SCHEMA public FROM PUBLIC;
  CREATE TABLE customers (
    id bigint PRIMARY KEY, name text NOT NULL, city varchar(50), total numeric(12, 2), data jsonb, photo bytea, joined timestamptz
  );
  COMMENT ON TABLE customers IS 'Who buys from ${tenant}';
  COMMENT ON COLUMN customers.total IS 'In euros';
  INSERT INTO customers SELECT 9007199254740992 + n, 'customer ' || n || ' of ${tenant}', 'Köln', n * 1.5,
    jsonb_build_object('n', n), '\\x00ff', '2026-01-02 03:04:05+01' FROM generate_series(1, 50) n;
  CREATE TABLE orders (id int PRIMARY KEY, customer_id bigint, note text);
  INSERT INTO orders SELECT n, 9007199254740992 + n, 'order ' || n || ' of ${tenant}' FROM generate_series(1, 20) n;
  CREATE TABLE secrets (secret text);
  INSERT INTO secrets VALUES ('nobody may read this of ${tenant}');
  CREATE TABLE "Größe 100%/Jahr" ("select" int, "a""b" text);
  INSERT INTO "Größe 100%/Jahr" VALUES (1, 'quoted');
  CREATE VIEW big_customers AS SELECT id, name FROM customers WHERE total > 50;
  CREATE TABLE events (id int, at date) PARTITION BY RANGE (at);
  CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  CREATE SCHEMA sales;
  CREATE TABLE sales.invoices (id int, total money);
  CREATE SCHEMA hr;
  CREATE TABLE hr.salaries (id int);
  CREATE SEQUENCE numbers;
  CREATE FUNCTION secret_of_the_owner() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT secret FROM secrets';
  CREATE FUNCTION next_number(customers) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT nextval(''numbers'')';
  CREATE FUNCTION lower(bigint) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT secret FROM secrets';
  CREATE FUNCTION boom(int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM customers; RETURN 1; END $$;
  CREATE FUNCTION secret_of_row(customers) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT secret FROM secrets';
  CREATE FUNCTION secret_of_any(anyelement) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT secret FROM secrets';
  CREATE FUNCTION secret_of_two(bigint, bigint) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT secret FROM secrets';
  CREATE OPERATOR @#@ (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = secret_of_two);
  GRANT USAGE ON SCHEMA sales TO PUBLIC;
  GRANT SELECT ON customers, orders, big_customers, events, events_2026, "Größe 100%/Jahr", sales.invoices TO PUBLIC;
  GRANT SELECT ON hr.salaries TO PUBLIC;
`;
