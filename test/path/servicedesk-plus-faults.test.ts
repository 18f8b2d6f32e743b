import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { throttled } from '../support/service-desk/accounts.ts';
import {
  type FakeServiceDesk,
  type FakeTenant,
  type Fault,
  type Logged,
  startServiceDesk,
  type TenantOptions,
} from '../support/service-desk/fake-service-desk.ts';
import { openServer, type OpenServer } from '../support/service-desk/open-server.ts';
import { refused } from '../support/service-desk/portal.ts';
import { useTempFolder } from '../support/temp-folder.ts';

/** What a vendor does that no tool asked for, and what becomes of it. */
const folder = useTempFolder();
const opened: OpenServer[] = [];
let desk: FakeServiceDesk;
let acme: FakeTenant;
const id = (last: number) => `2609620000018480${String(last).padStart(2, '0')}`;

beforeEach(async () => {
  desk = await startServiceDesk();
  acme = tenant('acme');
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
  await desk.close();
  expect(desk.mistakes).toEqual([]);
});

function tenant(name: string, options?: TenantOptions): FakeTenant {
  const made = desk.addTenant(name, options);
  made.add('requests', { id: id(1), display_id: '101', subject: 'Printer', status: { name: 'Open' } });
  return made;
}

async function open(env: Readonly<Record<string, string>> = acme.env): Promise<OpenServer> {
  const server = await openServer(env, folder.path);
  opened.push(server);
  return server;
}

const onApi = ({ server }: Logged) => server === 'api';
const onAccounts = ({ server }: Logged) => server === 'accounts';
const reply = (match: Fault['match'], status: number, body: object | string, times = 1) =>
  desk.faults.push({ match, times, action: () => ({ status, body }) });
const calls = () => desk.requests.filter(onApi).length;
const tokens = () => desk.requests.filter(onAccounts).length;
const status = (body: object) => ({ response_status: body });

describe('access tokens', () => {
  test('twenty calls at once at the very start take one', async () => {
    const server = await open();
    await Promise.all(Array.from({ length: 20 }, () => server.ask('get_request', { requestId: id(1) })));
    expect([tokens(), calls()]).toEqual([1, 20]);
  });

  test('six processes that start together take one, and those that come later take none', async () => {
    const servers = await Promise.all(Array.from({ length: 6 }, () => open()));
    await Promise.all(servers.map((server) => server.ask('test_connection')));
    expect(tokens()).toBe(1);
    await (await open()).ask('test_connection');
    expect(tokens()).toBe(1);
  });

  test('a refresh token that was revoked is told with what to do, and nobody is asked again', async () => {
    desk.accounts.revoke(acme.client.refreshToken);
    const server = await open({ ...acme.env, SDP_DATA_CENTER: 'EU' });
    const told = await server.fail('test_connection');
    expect(told).toMatchObject({ code: 'UNAUTHENTICATED', vendorCode: 'invalid_code', retryable: false });
    expect(told.error).toBe('Invalid OAuth credentials: the accounts server says invalid_code');
    expect(told.hint).toContain('https://api-console.zoho.eu/');
    await server.fail('get_request', { requestId: id(1) });
    expect([tokens(), calls()]).toEqual([1, 0]);
    expect(server.stderr()).toContain('"Token refresh failed"');
    for (const secret of [acme.client.clientSecret, acme.client.refreshToken])
      expect(server.stderr()).not.toContain(secret);
  });

  test('a wrong client secret is told as such', async () => {
    const server = await open({ ...acme.env, SDP_CLIENT_SECRET: 'somebody-elses-secret' });
    const told = await server.fail('test_connection');
    expect(told).toMatchObject({ code: 'UNAUTHENTICATED', vendorCode: 'invalid_client' });
    expect(told.hint).toContain('SDP_CLIENT_SECRET');
  });

  test.each([200, 400] as const)('an accounts server that throttles with %i is left alone', async (http) => {
    reply(onAccounts, http, throttled(http).body);
    const server = await open();
    const told = await server.fail('test_connection');
    expect(told).toMatchObject({ code: 'RATE_LIMITED', retryAfterSeconds: 60 });
    await server.fail('test_connection');
    expect(tokens()).toBe(1);
  });

  test('one that somebody else’s sixteenth token killed is replaced, and the call made again, once', async () => {
    const server = await open();
    await server.ask('get_request', { requestId: id(1) });
    desk.clock.now += 11 * 60_000;
    for (let at = 0; at < 15; at++) desk.accounts.issueElsewhere(acme.client);
    desk.clock.now += 11 * 60_000;
    await server.ask('update_request', { requestId: id(1), subject: 'Printer, again' });
    expect([tokens(), calls()]).toEqual([2, 3]);
  });

  test('one that the API never takes is replaced once; the failure names the data centre', async () => {
    // As with a token of another data centre.
    reply(onApi, 401, status({ status_code: 4000, status: 'failed', messages: [{ status_code: 4022 }] }), 99);
    const server = await open();
    const told = await server.fail('get_request', { requestId: id(1) });
    expect(told).toMatchObject({ code: 'UNAUTHENTICATED', vendorCode: '4022' });
    expect(told.hint).toContain('SDP_DATA_CENTER');
    expect([tokens(), calls()]).toEqual([2, 2]);
    await server.fail('get_request', { requestId: id(1) });
    expect([tokens(), calls()]).toEqual([2, 3]);
  });

  test('never reach a log, an answer or an argument list', async () => {
    const server = await open();
    reply(onApi, 400, refused(400, 4001, { message: `bad token x` }).body);
    await server.fail('get_request', { requestId: id(1) });
    const [issued] = desk.accounts.issued;
    desk.faults.push({
      match: onApi,
      action: (_response, { headers }) =>
        refused(400, 4001, { message: `you sent ${headers['authorization']}` }),
    });
    const told = await server.fail('get_request', { requestId: id(1) });
    expect(told.error).toContain('[REDACTED]');
    expect(JSON.stringify(told)).not.toContain(issued?.text);
    expect(server.stderr()).not.toContain(issued?.text);
  });

  test('a call that is cancelled while a token is fetched leaves nothing behind, and the next one works', async () => {
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    desk.faults.push({
      match: onAccounts,
      action: async () => {
        await held;
        return 'go on' as const;
      },
    });
    const server = await open();
    const stop = new AbortController();
    const calling = server.client.callTool({ name: 'test_connection', arguments: {} }, undefined, {
      signal: stop.signal,
    });
    await eventually(() => tokens() === 1);
    stop.abort();
    await expect(calling).rejects.toThrow();
    const next = server.ask('test_connection');
    letGo();
    await expect(next).resolves.toEqual({ connected: true, canReadRequests: true });
    expect(tokens()).toBe(1);
  });
});

describe('scopes', () => {
  test('that the tenant’s file leaves out are told by name before anything is asked', async () => {
    const server = await open({
      ...acme.env,
      SDP_ALLOWED_SCOPES: 'SDPOnDemand.requests.READ, SDPOnDemand.changes.ALL',
    });
    const told = await server.fail('create_request', { subject: 'x' });
    expect(told).toMatchObject({
      error: 'Tenant lacks required scopes: SDPOnDemand.requests.CREATE',
      code: 'FORBIDDEN',
      executed: 'no',
    });
    expect(desk.requests).toEqual([]);
    await server.ask('get_request', { requestId: id(1) });
    await server.ask('create_change', { title: 'x' });
  });

  test('that the accounts server says were not granted are told before the call', async () => {
    await desk.close();
    desk = await startServiceDesk({ saysScope: true });
    const globex = tenant('globex', { scopes: ['SDPOnDemand.requests.READ'] });
    const server = await open(globex.env);
    const told = await server.fail('delete_request', { requestId: id(1) });
    expect(told.error).toBe('Tenant lacks required scopes: SDPOnDemand.requests.DELETE');
    expect(calls()).toBe(0);
    await server.ask('get_request', { requestId: id(1) });
  });

  test('that only the API misses are told by name, and the token is kept', async () => {
    const globex = tenant('globex', { scopes: ['SDPOnDemand.requests.READ'] });
    const server = await open(globex.env);
    const told = await server.fail('update_request', { requestId: id(1), subject: 'x' });
    expect(told).toMatchObject({
      error: 'Tenant lacks required scopes: SDPOnDemand.requests.UPDATE',
      vendorCode: 'OAUTH_SCOPE_MISMATCH',
    });
    expect([tokens(), calls()]).toEqual([1, 1]);
  });

  test('a connection can be tested with any', async () => {
    const globex = tenant('globex', { scopes: ['SDPOnDemand.assets.READ'] });
    expect(await (await open(globex.env)).ask('test_connection')).toEqual({
      connected: true,
      canReadRequests: false,
    });
  });
});

describe('approving a change', () => {
  const levels = 'changes/21/approval_levels';
  function withApprovals(
    name: string,
    pending: number,
    settings: TenantOptions['settings'] = {},
  ): FakeTenant {
    const made = desk.addTenant(name, { settings });
    made.add('changes', { id: '21', title: 'Move' });
    made.add(levels, { id: '22' }, { id: '23' });
    made.add(`${levels}/22/approvals`, { id: '30', status: { name: 'Approved' } });
    for (let at = 0; at < pending; at++) {
      made.add(`${levels}/23/approvals`, {
        id: `4${at}`,
        status: { name: 'Pending Approval' },
        approver: { name: `A${at}` },
      });
    }
    return made;
  }
  const puts = () =>
    desk.requests.filter(({ method }) => method === 'PUT').map(({ path }) => path.split('/').at(-1));

  test.each(['json', 'html'] as const)(
    'a portal with the other address (%s) is found out once',
    async (unknownAddress) => {
      const globex = withApprovals('globex', 1, { approveAction: '_approve', unknownAddress });
      const server = await open(globex.env);
      expect(await server.ask('approve_change', { changeId: '21' })).toMatchObject({ approved: true });
      await server.ask('approve_change', { changeId: '21', levelId: '23', approvalId: '40' });
      expect(puts()).toEqual(['approve', '_approve', '_approve']);
    },
  );

  test.each([
    [400, 4001, 'REJECTED'],
    [403, 4002, 'FORBIDDEN'],
    [500, 4004, 'UNAVAILABLE'],
  ])('no other address is tried after %i, which may have been heard', async (http, code, kind) => {
    const globex = withApprovals('globex', 1);
    const server = await open(globex.env);
    reply(({ method }) => method === 'PUT', http, refused(http, code).body, 9);
    expect(await server.fail('approve_change', { changeId: '21' })).toMatchObject({ code: kind });
    expect(puts()).toEqual(['approve']);
  });

  test('of several that are pending none is taken: the caller chooses', async () => {
    const globex = withApprovals('globex', 2);
    const server = await open(globex.env);
    expect(await server.ask('approve_change', { changeId: '21' })).toEqual({
      approved: false,
      pending: [
        { levelId: '23', approvalId: '40', approver: 'A0' },
        { levelId: '23', approvalId: '41', approver: 'A1' },
      ],
    });
    expect(puts()).toEqual([]);
    await server.ask('approve_change', { changeId: '21', approvalId: '41' });
    expect(desk.requests.at(-1)?.path).toBe(
      '/app/globex/api/v3/changes/21/approval_levels/23/approvals/41/approve',
    );
  });

  test('where nothing is pending, or the portal has neither address, that is told', async () => {
    const none = await open(withApprovals('globex', 0).env);
    expect(await none.fail('approve_change', { changeId: '21' })).toMatchObject({ code: 'NOT_FOUND' });
    const neither = await open(withApprovals('initech', 1, { approveAction: 'neither' }).env);
    expect(await neither.fail('approve_change', { changeId: '21' })).toMatchObject({ code: 'NOT_FOUND' });
  });
});

test.each(['json', 'html'] as const)(
  'a portal that knows technicians as users (%s) is asked for users',
  async (unknownAddress) => {
    const globex = desk.addTenant('globex', { settings: { people: 'users', unknownAddress } });
    globex.add('users', { id: id(7), name: 'Tess' });
    const server = await open(globex.env);
    expect(await server.ask('search_technicians', { keyword: 'Te' })).toEqual({
      technicians: [{ id: id(7), name: 'Tess' }],
    });
    expect(await server.ask('get_technician', { technicianId: id(7) })).toMatchObject({
      technician: { name: 'Tess' },
    });
  },
);

test('a code is exchanged as the page says, once and in time, for a refresh token that works', async () => {
  const page = readFileSync(path.resolve('docs/servers/servicedesk-plus.md'), 'utf8');
  const [, command = ''] = /```sh\n\s*curl -X POST (https[^`]+)```/.exec(page) ?? [];
  const { pathname } = new URL(command.split(/\s/)[0]!);
  const { clientId, clientSecret } = acme.client;
  const values: Record<string, string> = { CLIENT_ID: clientId, CLIENT_SECRET: clientSecret };
  const exchange = async (code: string) => {
    const pairs = [...command.matchAll(/-d (\w+)=(\w+)/g)].map(([, key = '', value = '']) => {
      return [key, value === 'CODE' ? code : (values[value] ?? value)] as const;
    });
    const answer = await fetch(new URL(pathname, desk.accountsUrl), {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(Object.fromEntries(pairs)).toString(),
    });
    return (await answer.json()) as Record<string, unknown>;
  };
  const code = desk.accounts.makeCode(acme.client, 10);
  const made = await exchange(code);
  expect(made).toMatchObject({
    token_type: 'Bearer',
    expires_in: 3600,
    access_token: expect.any(String) as string,
  });
  const server = await open({ ...acme.env, SDP_REFRESH_TOKEN: String(made['refresh_token']) });
  expect(await server.ask('test_connection')).toMatchObject({ connected: true });
  expect(await exchange(code)).toEqual({ error: 'invalid_code' });
  const late = desk.accounts.makeCode(acme.client, 10);
  desk.clock.now += 10 * 60_000 + 1;
  expect(await exchange(late)).toEqual({ error: 'invalid_code' });
});

test('one that is slower than the deadline is given up', async () => {
  desk.faults.push({ match: onApi, times: 9, action: () => new Promise<'done'>(() => undefined) });
  const server = await open({ ...acme.env, SDP_TIMEOUT_SECONDS: '1' });
  const told = await server.fail('create_request', { subject: 'x' });
  expect(told).toMatchObject({ code: 'TIMED_OUT', executed: 'unknown' });
});

test('list_my_requests says what to set where it is not known whose', async () => {
  const told = await (await open()).fail('list_my_requests');
  expect(told.hint).toContain('SDP_TECHNICIAN_EMAIL');
});
