import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type FakeServiceDesk,
  type FakeTenant,
  type Fault,
  type Logged,
  startServiceDesk,
} from '../support/service-desk/fake-service-desk.ts';
import { openServer, type OpenServer } from '../support/service-desk/open-server.ts';
import { refused } from '../support/service-desk/portal.ts';

/** What the API of ServiceDesk Plus answers, in all its shapes, and what the tool's caller is told. One server for all. */
const home = mkdtempSync(path.join(tmpdir(), 'mtpt-'));
let desk: FakeServiceDesk;
let acme: FakeTenant;
let server: OpenServer;
const id = (last: number) => `2609620000018480${String(last).padStart(2, '0')}`;

beforeAll(async () => {
  desk = await startServiceDesk();
  acme = desk.addTenant('acme');
  acme.add('requests', { id: id(1), display_id: '101', subject: 'Printer', status: { name: 'Open' } });
  server = await openServer(acme.env, home);
  // From here on the client checks each answer against its schema.
  await server.client.listTools();
  await server.ask('test_connection');
});
beforeEach(() => {
  desk.requests.length = 0;
  desk.faults.length = 0;
  acme.portal.tables.delete('assets');
});
afterEach(() => {
  expect(desk.mistakes).toEqual([]);
  // Whatever the API answered with, the token was not what was wrong.
  expect(desk.accounts.issued).toHaveLength(1);
});
afterAll(async () => {
  await server.close();
  await desk.close();
  rmSync(home, { recursive: true, force: true });
});

const onApi = ({ server: at }: Logged) => at === 'api';
const reply = (match: Fault['match'], status: number, body: object | string, times = 1) =>
  desk.faults.push({ match, times, action: () => ({ status, body }) });
const calls = () => desk.requests.length;
const status = (body: object) => ({ response_status: body });

describe('answers', () => {
  const page = '<!DOCTYPE html><html><body>Sign in</body></html>';

  test.each([400, 401, 404])('a web page with %i is an unknown address: no new token', async (http) => {
    reply(onApi, http, page);
    const told = await server.fail('get_request', { requestId: id(1) });
    expect(told).toMatchObject({ code: 'BAD_REPLY', executed: 'no' });
    expect(told.hint).toContain('SDP_INSTANCE_NAME');
    expect(calls()).toBe(1);
  });

  test('a web page with 200 is no success, least of all of a deletion', async () => {
    reply(onApi, 200, page);
    const told = await server.fail('delete_request', { requestId: id(1) });
    expect(told).toMatchObject({ code: 'BAD_REPLY', executed: 'unknown' });
    expect(calls()).toBe(1);
  });

  test.each([
    [
      'one record',
      status({ status_code: 4000, status: 'failed', messages: [{ status_code: 4001, message: 'no' }] }),
    ],
    [
      'one of several',
      status([
        { status_code: 2000, status: 'success' },
        { status_code: 4000, status: 'failed' },
      ] as never),
    ],
  ])('HTTP 200 with a failure in %s is a failure', async (_what, body) => {
    reply(onApi, 200, body);
    expect(await server.fail('delete_request', { requestId: id(1) })).toMatchObject({
      code: 'REJECTED',
    });
  });

  test.each([
    [400, 4012, { fields: ['subject', 'site'] }, 'REJECTED: subject, site: is mandatory here (4012)'],
    [
      400,
      4001,
      { field: 'foo', message: 'EXTRA_KEY_FOUND_IN_JSON' },
      'REJECTED: foo: EXTRA_KEY_FOUND_IN_JSON (4001)',
    ],
    [400, 4008, { field: 'name' }, 'REJECTED: name: must be unique and is taken (4008)'],
    [
      403,
      4002,
      { message: 'Cannot give value for priority' },
      'FORBIDDEN: Cannot give value for priority (4002)',
    ],
    [404, 4007, { message: 'Invalid URL' }, 'NOT_FOUND: Invalid URL (4007)'],
    [404, 4001, { field: 'id', message: 'Unable to find' }, 'NOT_FOUND: id: Unable to find (4001)'],
  ])('%i with %i is told in words, and asked once', async (http, code, more, told) => {
    reply(onApi, http, refused(http, code, more).body);
    const failure = await server.fail('create_request', { subject: 'x' });
    expect(`${failure.code}: ${failure.error}`).toBe(told);
    expect(failure).toMatchObject({ executed: 'no', vendorCode: String(code) });
    expect(calls()).toBe(1);
  });

  test.each([
    ['429 with 4015', 429, refused(429, 4015).body],
    ['429 with a page', 429, page],
    ['its own words', 400, 'URL blocked as maximum access limit exceeded'],
  ])('%s means to come back later', async (_what, http, body) => {
    reply(onApi, http, body);
    const told = await server.fail('get_request', { requestId: id(1) });
    expect(told).toMatchObject({ code: 'RATE_LIMITED', retryable: true, retryAfterSeconds: 60 });
    expect(calls()).toBe(1);
  });

  test('a record in which somebody wrote such words is a record', async () => {
    const subject = 'URL blocked as maximum access limit exceeded, says OAUTH_SCOPE_MISMATCH';
    acme.add('requests', { id: id(5), subject });
    expect(await server.ask('get_request', { requestId: id(5) })).toMatchObject({ request: { subject } });
  });

  test('a vendor that is away for a moment is asked again for a read', async () => {
    reply(onApi, 503, page);
    await server.ask('get_request', { requestId: id(1) });
    expect(calls()).toBe(2);
  });

  test('a write after which the connection is lost is never made twice', async () => {
    desk.faults.push({
      match: onApi,
      times: 5,
      action: (response) => {
        response.destroy();
        return 'done';
      },
    });
    const told = await server.fail('create_request', { subject: 'x' });
    expect(told).toMatchObject({ code: 'UNAVAILABLE', executed: 'unknown' });
    expect(calls()).toBe(1);
  });

  test('a write that answers 500 is never made twice', async () => {
    reply(onApi, 500, refused(500, 4004).body, 5);
    const told = await server.fail('create_request', { subject: 'x' });
    expect(told).toMatchObject({ code: 'UNAVAILABLE', executed: 'unknown' });
    expect(calls()).toBe(1);
  });

  test('a redirect is not followed', async () => {
    desk.faults.push({
      match: onApi,
      action: (response) => {
        response.writeHead(302, { location: `${desk.accountsUrl}/steal` }).end();
        return 'done';
      },
    });
    expect(await server.fail('get_request', { requestId: id(1) })).toMatchObject({
      code: 'BAD_REPLY',
    });
    expect(desk.requests.filter(({ path }) => path === '/steal')).toEqual([]);
  });

  test('an id that comes as a number stays the id it is', async () => {
    desk.faults.push({
      match: onApi,
      action: (response) => {
        const text = `{"response_status":{"status_code":2000,"status":"success"},"request":{"id":260962000001848088}}`;
        response.writeHead(200, { 'content-type': 'application/json' }).end(text);
        return 'done';
      },
    });
    const answer = await server.ask('get_request', { requestId: id(1) });
    expect(answer).toEqual({ request: { id: '260962000001848088' } });
  });
});

describe('long lists', () => {
  test('are read a hundred at a time, with progress, and go on where they stopped', async () => {
    const rows = Array.from({ length: 250 }, (_, at) => ({ id: String(1_000 + at), name: `asset ${at}` }));
    acme.add('assets', ...rows);
    const progress: number[] = [];
    const first = (await server.client.callTool(
      { name: 'list_assets', arguments: { rowCount: 120 } },
      undefined,
      {
        onprogress: (said) => progress.push(said.progress),
      },
    )) as unknown as { structuredContent: { assets: { id: string }[]; nextPageToken: string } };
    const { assets, nextPageToken } = first.structuredContent;
    expect(assets.map(({ id: of }) => of)).toEqual(rows.slice(0, 120).map(({ id: of }) => of));
    // The client may drop what comes with the answer.
    expect(progress[0]).toBe(100);
    const rest = await server.ask<{ assets: { id: string }[]; nextPageToken?: string }>('list_assets', {
      rowCount: 500,
      pageToken: nextPageToken,
    });
    expect(rest.assets.map(({ id: of }) => of)).toEqual(rows.slice(120).map(({ id: of }) => of));
    expect(rest.nextPageToken).toBeUndefined();
    const counts = desk.requests
      .filter(onApi)
      .map(({ input }) => input['list_info'] as { row_count: number });
    expect(Math.max(...counts.map(({ row_count: count }) => count))).toBe(100);
  });

  test('that promise more and give nothing come to an end', async () => {
    reply(
      onApi,
      200,
      { response_status: [{ status_code: 2000, status: 'success' }], list_info: { has_more_rows: true } },
      9,
    );
    expect(await server.ask('list_assets')).toEqual({ assets: [] });
    expect(calls()).toBe(1);
  });

  test('that are cancelled under way are not read on', async () => {
    acme.add('assets', ...Array.from({ length: 300 }, (_, at) => ({ id: String(1_000 + at) })));
    const stop = new AbortController();
    desk.faults.push({
      match: ({ input }) => (input['list_info'] as { start_index?: number } | undefined)?.start_index === 101,
      action: (response) => {
        stop.abort();
        return new Promise((resolve) => response.once('close', () => resolve('done')));
      },
    });
    const calling = server.client.callTool({ name: 'list_assets', arguments: { rowCount: 300 } }, undefined, {
      signal: stop.signal,
    });
    await expect(calling).rejects.toThrow();
    await server.ask('test_connection');
    expect(calls()).toBe(3);
  });
});
