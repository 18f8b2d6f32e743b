import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Client } from '@modelcontextprotocol/sdk/client/index.js';
import { type CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { connect } from '../support/clients.ts';
import { cases, fillPortal, id } from '../support/service-desk/cases.ts';
import {
  type FakeServiceDesk,
  type FakeTenant,
  type Logged,
  startServiceDesk,
} from '../support/service-desk/fake-service-desk.ts';
import { runCommand, type RunningProxy, startProxy } from '../support/start-proxy.ts';

/** The founding document's case: many users with different ServiceDesk Plus credentials behind one URL. */
const home = mkdtempSync(path.join(tmpdir(), 'mtpt-'));
const names = ['user1', 'user2'] as const;
type Name = (typeof names)[number];
let desk: FakeServiceDesk;
let proxy: RunningProxy;
const tenants = {} as Record<Name, FakeTenant>;
const clients = {} as Record<Name, Client>;

/** Credentials come from the proxy's own environment, as the example tenant has them. */
const yaml = (name: Name, { env }: FakeTenant) => `
tenant: ${name}
server:
  use: servicedesk-plus
  env:
    SDP_CLIENT_ID: \${${name.toUpperCase()}_CLIENT_ID}
    SDP_CLIENT_SECRET: \${${name.toUpperCase()}_CLIENT_SECRET}
    SDP_REFRESH_TOKEN: \${${name.toUpperCase()}_REFRESH_TOKEN}
    SDP_BASE_URL: "${env['SDP_BASE_URL']}"
    SDP_INSTANCE_NAME: ${name}
    SDP_ACCOUNTS_URL: "${env['SDP_ACCOUNTS_URL']}"
    SDP_TECHNICIAN_EMAIL: tess@acme.example
pool: { max: 1 }
`;

beforeAll(async () => {
  desk = await startServiceDesk();
  const env: Record<string, string> = { HOME: home };
  for (const name of names) {
    const tenant = (tenants[name] = desk.addTenant(name));
    fillPortal(tenant);
    tenant.add('solutions', { id: id(99), title: `Only of ${name}` });
    env[`${name.toUpperCase()}_CLIENT_ID`] = tenant.client.clientId;
    env[`${name.toUpperCase()}_CLIENT_SECRET`] = tenant.client.clientSecret;
    env[`${name.toUpperCase()}_REFRESH_TOKEN`] = tenant.client.refreshToken;
  }
  const files = names.map((name) => [name, yaml(name, tenants[name])]);
  proxy = await startProxy({ tenants: Object.fromEntries(files) as Record<string, string>, env });
  for (const name of names) clients[name] = await connect(proxy.url, proxy.keys[name]!);
});
afterEach(() => {
  expect(desk.mistakes).toEqual([]);
});
afterAll(async () => {
  await Promise.all(names.map((name) => clients[name].close()));
  await proxy.stop();
  await desk.close();
  rmSync(home, { recursive: true, force: true });
});

const call = async (name: Name, tool: string, args: Record<string, unknown> = {}) =>
  (await clients[name].callTool({ name: tool, arguments: args })) as CallToolResult;

/** Whose a request is, by all that it carries. */
function ownersOf({ server, form, portal, owner }: Logged): (string | undefined)[] {
  if (server === 'api') return [portal, owner];
  const found = names.find((name) => tenants[name].client.clientId === form['client_id']);
  const { clientSecret, refreshToken } = tenants[found!].client;
  expect(form).toMatchObject({ client_secret: clientSecret, refresh_token: refreshToken });
  return [found];
}

describe('two tenants at once, each with credentials of its own', () => {
  test.each(cases)('$tool answers each from its own portal', async ({ tool, args, answer }) => {
    const from = desk.requests.length;
    const answers = await Promise.all(names.map((name) => call(name, tool, args)));
    for (const { structuredContent, isError } of answers) {
      expect(isError).toBeFalsy();
      expect(structuredContent).toMatchObject(answer);
    }
    const asked = desk.requests.slice(from).map(ownersOf);
    for (const name of names)
      expect(asked.filter((owners) => owners.every((owner) => owner === name))).not.toEqual([]);
    expect(asked.filter((owners) => new Set(owners).size > 1)).toEqual([]);
  });

  test('each took one token, with its own credentials, and keeps it in a file of its own', () => {
    expect(desk.accounts.issued.map(({ client }) => client.portal).toSorted()).toEqual([...names]);
    // In the home of each, behind a wall; else in the proxy's.
    const files = [home, path.join(proxy.dir, '.proxy')].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }),
    );
    expect(files.filter((file) => file.endsWith('.token'))).toHaveLength(2);
  });

  test('users do not see the same data', async () => {
    const [one, other] = await Promise.all(
      names.map(async (name) => JSON.stringify((await call(name, 'list_solutions')).structuredContent)),
    );
    expect(one).toContain('Only of user1');
    expect(one).not.toContain('user2');
    expect(other).toContain('Only of user2');
    expect(other).not.toContain('user1');
  });

  test('a process that is ended and started anew costs no token', async () => {
    const [before] = (await proxy.status()).tenants.find(({ id: of }) => of === 'user1')!.workers;
    process.kill(before!.pid, 'SIGKILL');
    await proxy.logged(({ event, pid }) => event === 'worker.exited' && pid === before!.pid);
    expect((await call('user1', 'test_connection')).structuredContent).toMatchObject({ connected: true });
    const [after] = (await proxy.status()).tenants.find(({ id: of }) => of === 'user1')!.workers;
    expect(after!.pid).not.toBe(before!.pid);
    expect(desk.accounts.issued).toHaveLength(2);
  });

  test('the failure of one is none of the other', async () => {
    desk.accounts.revoke(tenants.user1.client.refreshToken);
    for (const { text, client } of desk.accounts.issued)
      if (client.portal === 'user1') desk.accounts.kill(text);
    const [broken, fine] = await Promise.all(names.map((name) => call(name, 'test_connection')));
    expect(broken).toMatchObject({
      isError: true,
      _meta: { 'mcp-tenant-proxy/error': { code: 'UNAUTHENTICATED', vendorCode: 'invalid_code' } },
    });
    expect(fine?.structuredContent).toEqual({ connected: true, canReadRequests: true });
  });

  test('no secret of either stands in the proxy’s log', () => {
    const log = JSON.stringify(proxy.logs);
    for (const name of names) {
      const { clientSecret, refreshToken } = tenants[name].client;
      for (const secret of [clientSecret, refreshToken]) expect(log).not.toContain(secret);
    }
    for (const { text } of desk.accounts.issued) expect(log).not.toContain(text);
  });
});

test('the example tenant is sound once its variables are set, and says which are not', async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'mtpt-'));
  try {
    mkdirSync(path.join(dir, 'tenants'));
    cpSync(
      path.resolve('tenants/examples/servicedesk-plus.yaml'),
      path.join(dir, 'tenants/servicedesk-plus.yaml'),
    );
    writeFileSync(path.join(dir, 'proxy.config.yaml'), '');
    const { PATH = '' } = process.env;
    const set = {
      SDP_CLIENT_ID: '1000.A',
      SDP_CLIENT_SECRET: 'secret-a',
      SDP_REFRESH_TOKEN: '1000.refresh-a',
    };
    const good = await runCommand(['check'], { cwd: dir, env: { PATH, ...set } });
    expect(good).toMatchObject({ code: 0, err: '' });
    const bad = await runCommand(['check'], { cwd: dir, env: { PATH } });
    expect(bad.code).toBe(1);
    for (const name of Object.keys(set)) expect(`${bad.out}${bad.err}`).toContain(name);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test('proxy server runs it alone, and settings that do not go together are told before the handshake', async () => {
  const { PATH = '' } = process.env;
  const env = { PATH, HOME: home, ...tenants.user2.env, SDP_DATA_CENTER: 'MARS' };
  const told = await runCommand(['server', 'servicedesk-plus'], { cwd: home, env });
  expect(told).toMatchObject({ code: 1, out: '' });
  expect(told.err).toContain('servicedesk-plus: SDP_DATA_CENTER: write one of US, EU');
  const alone = await runCommand(['server', 'servicedesk-plus'], {
    cwd: home,
    env: {
      PATH,
      HOME: home,
      ...tenants.user2.env,
      SDP_BASE_URL: 'https://help.acme.example',
      SDP_ACCOUNTS_URL: '',
    },
  });
  expect(alone).toMatchObject({ code: 1, out: '' });
  expect(alone.err).toContain('servicedesk-plus: SDP_DATA_CENTER must be set beside');
});
