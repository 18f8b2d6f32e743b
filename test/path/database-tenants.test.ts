import { type Client } from '@modelcontextprotocol/sdk/client/index.js';
import { type CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { callJson, callText, connect } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { someAccount } from '../support/fake-autotask/accounts.ts';
import { type FakeAutotask, startFakeAutotask } from '../support/fake-autotask/fake-autotask.ts';
import { needsPostgres, postgresFolder, type RunningPostgres, startPostgres } from '../support/postgres.ts';
import { type FakeServiceDesk, startServiceDesk } from '../support/service-desk/fake-service-desk.ts';
import { runCommand, type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { useTempFolder } from '../support/temp-folder.ts';
import { createTenantDatabases, logins } from '../support/tenant-databases.ts';

const suite = postgresFolder === undefined ? describe.skip : describe;

const tenants = { tenant_001: 'one', tenant_002: 'two' } as const;
type TenantId = keyof typeof tenants;
const ids = Object.keys(tenants) as TenantId[];
const [first, second] = ids as [TenantId, TenantId];

const uriOf = (tenant: string, table = 'customers') => `mcp://${tenant}/database/table/${table}`;

suite(`two tenants’ databases behind one proxy (${needsPostgres})`, () => {
  let postgres: RunningPostgres;
  let proxy: RunningProxy;
  const clients = {} as Record<TenantId, Client>;

  const yamlOf = (id: TenantId): string => {
    const { database, user } = logins[tenants[id]];
    return `tenant: ${id}
server:
  use: database
  env:
    TENANT_ID: ${id}
    DB_HOST: 127.0.0.1
    DB_PORT: "${postgres.port}"
    DB_NAME: ${database}
    DB_USER: ${user}
    DB_PASSWORD: "\${PASSWORD_OF_${id.toUpperCase()}}"
    DB_STATEMENT_TIMEOUT_MS: "60000"
    LOG_LEVEL: debug
pool: { max: 2, concurrency: 4 }
`;
  };

  beforeAll(async () => {
    postgres = await startPostgres();
    await createTenantDatabases(postgres);
    proxy = await startProxy({
      tenants: Object.fromEntries(ids.map((id) => [id, yamlOf(id)])),
      env: Object.fromEntries(
        ids.map((id) => [`PASSWORD_OF_${id.toUpperCase()}`, logins[tenants[id]].password]),
      ),
    });
    for (const id of ids) clients[id] = await connect(proxy.url, proxy.keys[id] ?? '');
  }, 90_000);
  afterAll(async () => {
    for (const client of Object.values(clients)) await client.close();
    await proxy.stop();
    await postgres.stop();
  });

  const query = (id: TenantId, sql: string, uri = uriOf(id)) =>
    callJson<{ rows: string[][]; code?: string }>(clients[id], 'query_tenant_data', {
      resource_uri: uri,
      query: sql,
    });

  test('each is answered from its own database, with its own login, and no other’s, both at once', async () => {
    const began = postgres.log().length;
    const asked = Array.from({ length: 60 }, (_, n) => ids[n % 2]!);
    const answers = await Promise.all(
      asked.map((id) => query(id, 'SELECT name FROM customers ORDER BY id LIMIT 1')),
    );
    expect(answers.map(({ rows }) => rows[0]?.[0])).toEqual(
      asked.map((id) => `customer 1 of ${tenants[id]}`),
    );
    // A connection’s lines carry who is in it; whoever the server let in is told with user, database and application.
    const log = postgres.log().slice(began);
    const logged = [
      ...log.matchAll(
        /connection authorized: user=(\S+) database=(\S+) application_name=mcp-database (\S+)/g,
      ),
    ];
    const who = (id: TenantId) => [logins[tenants[id]].user, logins[tenants[id]].database, id].join(' ');
    const seen = logged.map(([, ...parts]) => parts.join(' '));
    expect(new Set(seen)).toEqual(new Set(ids.map(who)));
    for (const id of ids) expect(seen.filter((each) => each === who(id))).toHaveLength(30);
    // Each statement, too, ran as the one it was asked by.
    const statements = log.split('\n').filter((line) => line.includes('SELECT * FROM ('));
    expect(statements.length).toBeGreaterThanOrEqual(60);
    for (const line of statements) expect(line).toMatch(/user=reader_(one|two) db=db_\1 /);
  });

  test('while both run, the server sees each in its own database', async () => {
    const long = 'SELECT count(*) FROM generate_series(1, 100000000000)';
    const stop = new AbortController();
    const running = ids.map((id) =>
      clients[id]
        .callTool(
          { name: 'query_tenant_data', arguments: { resource_uri: uriOf(id), query: long } },
          undefined,
          {
            signal: stop.signal,
          },
        )
        .catch(() => undefined),
    );
    const seen = await eventually(async () => {
      const running = await postgres.running('generate_series');
      return running.length === 2 && running;
    });
    expect(seen.map(({ user, database, application }) => [application, user, database]).toSorted()).toEqual(
      ids.map((id) => [`mcp-database ${id}`, logins[tenants[id]].user, logins[tenants[id]].database]),
    );
    // Called off through the proxy, down to the database.
    stop.abort();
    await Promise.all(running);
    await eventually(async () => (await postgres.activity()).length === 0, 10_000);
  });

  test('another tenant’s URI is forbidden, and the proxy’s log says who asked', async () => {
    const result = (await clients[first].callTool({
      name: 'query_tenant_data',
      arguments: { resource_uri: uriOf(second), query: 'SELECT * FROM customers' },
    })) as CallToolResult;
    expect(result.isError).toBe(true);
    expect(JSON.stringify(result)).toContain('FORBIDDEN');
    const line = await proxy.logged(({ event }) => event === 'security.reported');
    expect(line).toMatchObject({
      level: 'warn',
      tenant: first,
      server: 'default',
      code: 'FORBIDDEN',
      subject: uriOf(second),
      msg: `Server of tenant ${first} reports FORBIDDEN: The URI is not of this tenant`,
    });
    await expect(clients[second].readResource({ uri: uriOf(first) })).rejects.toThrow('not of this tenant');
    await proxy.logged(({ event, tenant }) => event === 'security.reported' && tenant === second);
    const { tenants: rows, totals } = await proxy.status();
    expect(rows.map(({ id, securityReports }) => [id, securityReports])).toEqual([
      [first, 1],
      [second, 1],
    ]);
    expect(totals.securityReports).toBe(2);
    expect((await proxy.run('status')).out).toContain(
      `security reports: ${first}/default 1, ${second}/default 1`,
    );
  });

  test('resources of the two have the same names and different owners', async () => {
    for (const id of ids) {
      const { resources } = await clients[id].listResources();
      expect(resources.map(({ uri }) => uri)).toContain(uriOf(id));
      const { contents } = await clients[id].readResource({ uri: uriOf(id) });
      expect(JSON.stringify(contents)).toContain(`Who buys from ${tenants[id]}`);
    }
  });

  test('when one’s process is killed, the other does not notice', async () => {
    const status = await proxy.status();
    const pids = status.tenants.find(({ id }) => id === first)?.workers.map(({ pid }) => pid) ?? [];
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => query(second, 'SELECT name FROM customers LIMIT 1')),
    );
    for (const { rows } of answers) expect(rows).toHaveLength(1);
    await eventually(async () => {
      const { rows } = await query(first, 'SELECT 1').catch(() => ({ rows: undefined }));
      return rows !== undefined;
    });
  });

  describe('and its tenants have the other two servers beside it', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'mtpt-'));
    const accounts = { tenant_001: someAccount('one'), tenant_002: someAccount('two') };
    const servers = ['database', 'autotask', 'servicedesk'] as const;
    let autotask: FakeAutotask;
    let desk: FakeServiceDesk;
    let whole: RunningProxy;
    const asking = {} as Record<TenantId, Record<(typeof servers)[number], Client>>;

    beforeAll(async () => {
      autotask = await startFakeAutotask(...Object.values(accounts));
      desk = await startServiceDesk();
      const files = ids.map((id) => {
        const { database, user, password } = logins[tenants[id]];
        const { username, secret, integrationCode } = accounts[id];
        const portal = desk.addTenant(tenants[id]);
        portal.add('requests', { id: '101', display_id: '1', subject: `Printer of ${tenants[id]}` });
        const envs = {
          database: {
            ...{ TENANT_ID: id, DB_HOST: '127.0.0.1', DB_PORT: String(postgres.port), DB_NAME: database },
            ...{ DB_USER: user, DB_PASSWORD: password },
          },
          autotask: {
            ...{ AUTOTASK_USERNAME: username, AUTOTASK_SECRET: secret, AUTOTASK_ZONE_URL: autotask.zoneUrl },
            ...{ AUTOTASK_INTEGRATION_CODE: integrationCode },
          },
          servicedesk: { ...portal.env, SDP_TOKEN_FOLDER: folder },
        };
        const uses = { database: 'database', autotask: 'autotask', servicedesk: 'servicedesk-plus' };
        const specs = servers.map((name) => [name, { use: uses[name], env: envs[name] }]);
        // JSON is YAML.
        return [id, `tenant: ${id}\nservers: ${JSON.stringify(Object.fromEntries(specs))}\n`];
      });
      whole = await startProxy({ tenants: Object.fromEntries(files) as Record<string, string> });
      for (const id of ids) {
        const open = servers.map(async (name) => {
          return [name, await connect(`${whole.url}/${name}`, whole.keys[id] ?? '')] as const;
        });
        asking[id] = Object.fromEntries(await Promise.all(open)) as (typeof asking)[TenantId];
      }
    }, 30_000);
    afterAll(async () => {
      await Promise.all(
        Object.values(asking).flatMap((all) => Object.values(all).map((each) => each.close())),
      );
      await whole.stop();
      await Promise.all([autotask.close(), desk.close()]);
      rmSync(folder, { recursive: true });
      expect([autotask.violations, desk.mistakes]).toEqual([[], []]);
    });

    type Question = readonly [tool: string, args: Record<string, unknown>];
    const questions: Record<(typeof servers)[number], (id: TenantId) => Question> = {
      database: (id) => [
        'query_tenant_data',
        { resource_uri: uriOf(id), query: 'SELECT name FROM customers LIMIT 1' },
      ],
      autotask: () => ['get_company', { id: 12_345 }],
      servicedesk: () => ['get_request', { requestId: '101' }],
    };
    const ask = (id: TenantId, name: (typeof servers)[number]) =>
      callText(asking[id][name], ...questions[name](id));
    const everybody = ids.flatMap((id) => servers.map((name) => [id, name] as const));

    test('the six servers of two tenants are asked at once, each with its own tenant’s credentials', async () => {
      const began = postgres.log().length;
      const rounds = Array.from({ length: 8 }, () => everybody).flat();
      const answers = await Promise.all(rounds.map(([id, name]) => ask(id, name)));
      for (const [at, [id]] of rounds.entries()) {
        expect(answers[at]).toMatch(new RegExp(`\\b${tenants[id]}\\b`));
        expect(answers[at]).not.toMatch(new RegExp(`\\b${tenants[id === first ? second : first]}\\b`));
      }
      const triples = autotask.requests
        .filter(({ host }) => host === 'api')
        .map(({ headers }) => [headers['username'], headers['secret'], headers['apiintegrationcode']].join());
      expect([...new Set(triples)].toSorted()).toEqual(
        Object.values(accounts)
          .map(({ username, secret, integrationCode }) => [username, secret, integrationCode].join())
          .toSorted(),
      );
      // A token is its owner's, and it came to its owner's portal.
      const asked = desk.requests.filter(({ server }) => server === 'api');
      expect(new Set(asked.map(({ owner, portal }) => `${owner} ${portal}`))).toEqual(
        new Set(['one one', 'two two']),
      );
      const seen = postgres
        .log()
        .slice(began)
        .matchAll(/connection authorized: user=(\S+) database=(\S+) application_name=mcp-database (\S+)/g);
      const who = ids.map((id) => [logins[tenants[id]].user, logins[tenants[id]].database, id].join());
      expect(new Set([...seen].map(([, ...parts]) => parts.join()))).toEqual(new Set(who));
    });

    test('when one of the six is killed, nobody but its own callers notices', async () => {
      const pidOf = async (id: TenantId, name: string) => {
        const { tenants: rows } = await whole.status();
        return rows.find((row) => row.id === id && row.server === name)?.workers.map(({ pid }) => pid);
      };
      const others = everybody.filter(([id, name]) => id !== first || name !== 'autotask');
      const before = await Promise.all(others.map(([id, name]) => pidOf(id, name)));
      for (const pid of (await pidOf(first, 'autotask')) ?? []) process.kill(pid, 'SIGKILL');
      await Promise.all(others.map(async ([id, name]) => expect(await ask(id, name)).toContain(tenants[id])));
      expect(await Promise.all(others.map(([id, name]) => pidOf(id, name)))).toEqual(before);
      await eventually(async () => (await ask(first, 'autotask').catch(() => '')).includes('one'));
    });
  });

  test('no password is in the proxy’s log or status', async () => {
    const told = JSON.stringify([proxy.logs, await proxy.status()]);
    for (const { password } of Object.values(logins)) expect(told).not.toContain(password);
  });
});

const folder = useTempFolder();
test('the example tenant is sound once its variables are set, and says which are not', async () => {
  const example = path.resolve(import.meta.dirname, '../../tenants/examples/database.yaml');
  const variables = { DATABASE_NAME: 'acme', DATABASE_USER: 'reader', DATABASE_PASSWORD: 'example-password' };
  mkdirSync(folder.file('tenants'));
  copyFileSync(example, folder.file('tenants', 'database.yaml'));
  chmodSync(folder.file('tenants', 'database.yaml'), 0o600);
  writeFileSync(folder.file('proxy.config.yaml'), '');
  const checked = (env: Record<string, string>) => runCommand(['check'], { cwd: folder.path, env });
  expect(await checked(variables)).toMatchObject({ code: 0, out: '1 tenant, no problem found\n' });
  const { code, out } = await checked({});
  expect(code).toBe(1);
  expect(out).toMatch(/MISSING_VARIABLE.*DATABASE_NAME/);
});
