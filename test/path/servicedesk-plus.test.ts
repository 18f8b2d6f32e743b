import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { cases, fillPortal, id } from '../support/service-desk/cases.ts';
import {
  type FakeServiceDesk,
  type FakeTenant,
  startServiceDesk,
} from '../support/service-desk/fake-service-desk.ts';
import { openServer, type OpenServer } from '../support/service-desk/open-server.ts';

/** Every tool of the ServiceDesk Plus server, in a process of its own, by the official client, on a strict vendor. */
let desk: FakeServiceDesk;
let acme: FakeTenant;
let server: OpenServer;
const home = mkdtempSync(path.join(tmpdir(), 'mtpt-'));

beforeAll(async () => {
  desk = await startServiceDesk();
  acme = desk.addTenant('acme');
  fillPortal(acme);
  server = await openServer({ ...acme.env, SDP_TECHNICIAN_EMAIL: 'tess@acme.example' }, home);
  // From here on the client checks each answer against its schema.
  await server.client.listTools();
});
afterEach(() => {
  expect(desk.mistakes).toEqual([]);
});
afterAll(async () => {
  await server.close();
  await desk.close();
  rmSync(home, { recursive: true, force: true });
});

const lastCall = () => {
  const { method, path: at, input } = desk.requests.findLast(({ server: which }) => which === 'api')!;
  return { method, path: at.replace('/app/acme/api/v3/', ''), input };
};
describe('every tool', () => {
  test.each(cases)('$tool asks $request as the vendor has it, and hands on the answer', async (each) => {
    const answer = await server.ask(each.tool, each.args);
    expect(answer).toMatchObject(each.answer);
    const [method, at] = each.request.split(' ');
    expect(lastCall()).toEqual({ method, path: at, input: each.input ?? {} });
  });

  test('is in this table, has a title, names its scopes, and says whether it only reads', async () => {
    const { tools } = await server.client.listTools();
    const names = tools.map(({ name }) => name);
    expect(names.toSorted()).toEqual([...new Set(cases.map(({ tool }) => tool))].toSorted());
    for (const tool of tools) {
      expect(tool.title).toBeTruthy();
      expect(tool.description).toBeTruthy();
      expect(tool.outputSchema?.type).toBe('object');
      expect(tool.inputSchema['additionalProperties']).toBe(false);
      expect(tool._meta?.['mcp-tenant-proxy/scopes']).toBeInstanceOf(Array);
      const reads = /^(get|list|search|test)_/.test(tool.name);
      expect([tool.name, tool.annotations?.readOnlyHint]).toEqual([tool.name, reads]);
    }
    expect(tools.find(({ name }) => name === 'delete_request')?.annotations?.destructiveHint).toBe(true);
  });

  test('took one access token together', () => {
    expect(desk.accounts.issued).toHaveLength(1);
  });

  test('the founding document’s scope map is what the tools name first', async () => {
    const { tools } = await server.client.listTools();
    const scopes = Object.fromEntries(
      tools.map((tool) => [tool.name, (tool._meta?.['mcp-tenant-proxy/scopes'] as string[])[0]]),
    );
    expect(scopes).toMatchObject({
      create_request: 'SDPOnDemand.requests.CREATE',
      update_request: 'SDPOnDemand.requests.UPDATE',
      get_request: 'SDPOnDemand.requests.READ',
      delete_request: 'SDPOnDemand.requests.DELETE',
      list_requests: 'SDPOnDemand.requests.READ',
      create_project: 'SDPOnDemand.projects.CREATE',
      update_project: 'SDPOnDemand.projects.UPDATE',
      get_project: 'SDPOnDemand.projects.READ',
      add_project_task: 'SDPOnDemand.projects.UPDATE',
      get_asset: 'SDPOnDemand.assets.READ',
      update_asset: 'SDPOnDemand.assets.UPDATE',
      create_change: 'SDPOnDemand.changes.CREATE',
      approve_change: 'SDPOnDemand.changes.UPDATE',
      get_categories: 'SDPOnDemand.setup.READ',
      get_priorities: 'SDPOnDemand.setup.READ',
      get_statuses: 'SDPOnDemand.setup.READ',
    });
  });
});

test('a long answer arrives whole, although the reader is slow and the process is about to end', async () => {
  const lines = [
    {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {} },
    },
    { jsonrpc: '2.0', id: 2, method: 'tools/list' },
  ];
  const script = 'printf "%s\\n%s\\n" "$1" "$2" | "$3" "$4" | (sleep 0.7; cat)';
  const program = path.resolve('dist/servers/servicedesk-plus/main.js');
  const args = ['-c', script, 'sh', ...lines.map((line) => JSON.stringify(line)), process.execPath, program];
  const env = { ...acme.env, PATH: process.env['PATH'] ?? '', HOME: home, LOG_LEVEL: 'silent' };
  const { stdout: out } = await promisify(execFile)('sh', args, { env, maxBuffer: 1024 ** 2 });
  expect(out.length).toBeGreaterThan(65_536);
  const [, listed = ''] = out.trimEnd().split('\n');
  expect((JSON.parse(listed) as { result: { tools: unknown[] } }).result.tools.length).toBeGreaterThan(50);
});

describe('arguments that cannot be right', () => {
  test.each([
    ['get_request', {}],
    ['get_request', { requestId: '../projects/1' }],
    ['update_request', { requestId: id(1) }],
    ['create_request', { subject: 'x'.repeat(251) }],
    ['create_request', { subject: 'x', owner: 'nobody' }],
    ['create_change', { title: 'x', scheduledStart: 'tomorrow' }],
    ['create_change', { title: 'x', scheduledStart: 'see 5' }],
    ['create_change', { title: 'x', scheduledStart: '2026-02-31T09:00:00Z' }],
    ['search_requests', {}],
    ['search_requests', { criteria: [{ field: 'subject', condition: 'is' }] }],
    ['list_requests', { pageToken: 'bm90aGluZw' }],
    ['list_configuration_items', { ciType: '../requests' }],
    ['get_metadata', { kind: 'users' }],
  ])('%s with %o asks nothing of the vendor', async (tool, args) => {
    const before = desk.requests.length;
    expect(await server.fail(tool, args)).toMatchObject({ code: 'INVALID_INPUT', executed: 'no' });
    expect(desk.requests).toHaveLength(before);
  });
});
