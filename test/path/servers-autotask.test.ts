import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Client } from '@modelcontextprotocol/sdk/client/index.js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { type FakeAccount, someAccount } from '../support/fake-autotask/accounts.ts';
import {
  type FakeAutotask,
  type SeenRequest,
  startFakeAutotask,
} from '../support/fake-autotask/fake-autotask.ts';
import { callFor, failureFrom, type RunningServer, startServer } from '../support/servers.ts';
import { runCommand, type RunningProxy, startProxy } from '../support/start-proxy.ts';
import { useTempFolder } from '../support/temp-folder.ts';

const file = Buffer.from('Paper jam on tray 2').toString('base64');
const plan = { startDateTime: '2026-02-01', endDateTime: '2026-03-01' };

/** Every tool once, as a client calls it, and a part of what it must say. */
const everyTool: readonly (readonly [name: string, args: object, answer: object])[] = [
  ['get_ticket', { id: 9_999 }, { id: 9_999, _labels: { status: 'New' } }],
  [
    'create_ticket',
    { title: 'Network Issues', companyID: 12_345, status: 'New', priority: 'High' },
    { id: 10_001 },
  ],
  ['update_ticket', { id: 10_000, priority: 1 }, { id: 10_000 }],
  ['search_tickets', { companyID: 12_345, keyword: 'vpn', priority: 'High' }, { count: 1, complete: true }],
  [
    'add_ticket_note',
    {
      ticketID: 9_999,
      title: 'Update',
      description: 'Done',
      noteType: 'Task Notes',
      publish: 'Internal Project Team',
    },
    { id: 72 },
  ],
  ['get_company', { id: 0 }, { id: 0 }],
  [
    'create_company',
    { companyName: 'New Ltd', companyType: 'Customer', phone: '123', ownerResourceID: 678 },
    { id: 12_348 },
  ],
  ['search_companies', { searchTerm: 'tech', isActive: true }, { count: 1 }],
  ['get_contact', { id: 501 }, { emailAddress: 'ada@example.com' }],
  [
    'create_contact',
    { companyID: 12_345, firstName: 'Alan', lastName: 'Turing' },
    { id: 502, defaults: { isActive: 1 } },
  ],
  ['search_contacts', { name: 'ada love', emailAddress: 'ada@example.com' }, { count: 1 }],
  ['get_project', { id: 300 }, { id: 300 }],
  [
    'create_project',
    { projectName: 'Roll-out', companyID: 12_345, projectType: 'Retainer', ...plan },
    { id: 301 },
  ],
  ['search_projects', { name: 'migration' }, { count: 1 }],
  ['get_task', { id: 400 }, { title: 'Plan' }],
  [
    'create_task',
    { projectID: 300, title: 'Do', estimatedHours: 2.5 },
    { id: 401, defaults: { status: 1, taskType: 1 } },
  ],
  ['search_tasks', { projectID: 300, status: 'New' }, { complete: true }],
  [
    'create_time_entry',
    {
      resourceID: 678,
      taskID: 400,
      roleID: 77,
      startDateTime: '2026-02-01T09:00:00Z',
      endDateTime: '2026-02-01T10:00:00Z',
    },
    { id: 601 },
  ],
  ['search_time_entries', { ticketID: 9_999, dateFrom: '2026-01-01', dateTo: '2026-01-05' }, { count: 1 }],
  ['get_configuration_item', { id: 700 }, { serialNumber: 'SN-1' }],
  [
    'create_configuration_item',
    { companyID: 12_345, productID: 50, configurationItemType: 'Server' },
    { id: 701 },
  ],
  ['search_configuration_items', { serialNumber: 'SN-1' }, { count: 1 }],
  ['get_contract', { id: 800 }, { _labels: { status: 'Active' } }],
  [
    'search_contracts',
    { companyID: 12_345, status: 'Active', contractType: 'Recurring Service' },
    { count: 1 },
  ],
  ['get_opportunity', { id: 900 }, { amount: 5_000 }],
  [
    'create_opportunity',
    {
      title: 'Seats',
      companyID: 12_345,
      ownerResourceID: 678,
      amount: 10,
      probability: 50,
      projectedCloseDate: '2026-06-30',
      stage: 'Proposal',
    },
    { id: 902 },
  ],
  ['search_opportunities', { stage: 'Closed' }, { count: 1 }],
  ['get_resource', { id: 678 }, { email: 'grace@example.com' }],
  ['search_resources', { email: 'grace@example.com' }, { count: 1 }],
  ['update_company', { id: 12_346, phone: '456' }, { id: 12_346 }],
  ['test_connection', {}, { connected: true, tenant: 'customer_acme' }],
  ['update_contact', { id: 501, companyID: 12_345, isActive: false }, { id: 501 }],
  ['update_project', { id: 300, status: 'In Progress' }, { id: 300 }],
  ['update_task', { id: 400, projectID: 300, title: 'Plan it' }, { id: 400 }],
  ['get_ticket_notes', { ticketID: 9_999 }, { complete: true }],
  ['list_queues', {}, { count: 2 }],
  ['list_ticket_statuses', {}, { count: 4 }],
  ['list_ticket_priorities', {}, { count: 4 }],
  ['get_field_info', { entity: 'Tickets', field: 'status' }, { entity: 'Tickets' }],
  ['get_api_usage', {}, { limit: 10_000, minutes: 60, isSlowed: false }],
  // Beside the forty.
  ['list_ticket_attachments', { ticketID: 9_999 }, { count: 1 }],
  ['get_ticket_attachment', { ticketID: 9_999, id: 81 }, { title: 'log.txt' }],
  ['add_ticket_attachment', { ticketID: 9_999, fileName: 'jam.txt', data: file }, { id: 82 }],
  ['get_quote', { id: 1_200 }, { name: 'Seats' }],
  ['search_quotes', { opportunityID: 900 }, { count: 1 }],
  ['search_quote_items', { quoteID: 1_200 }, { count: 1 }],
  ['get_invoice', { id: 1_100 }, { invoiceTotal: 12.5 }],
  ['search_invoices', { companyID: 12_345, isVoided: false, dateFrom: '2026-01-01' }, { count: 1 }],
  ['get_product', { id: 50 }, { sku: 'LAP-1' }],
  ['search_products', { searchTerm: 'lap' }, { count: 1 }],
  ['get_service_call', { id: 1_300 }, { companyID: 12_345 }],
  ['search_service_calls', { startsAfter: '2026-01-07', startsBefore: '2026-01-07' }, { count: 1 }],
  [
    'count_records',
    { entity: 'Opportunities', filters: [{ op: 'eq', field: 'status', value: 3 }] },
    { count: 1 },
  ],
  ['get_records', { entity: 'Companies', ids: [12_345, 5] }, { count: 1, missing: [5] }],
  ['update_tickets', { tickets: [{ id: 10_000, title: 'Printer again' }] }, { updated: 1, failed: 0 }],
  ['get_ticket_summary', { companyID: 12_345, by: 'priority' }, { by: 'priority' }],
  [
    'search_records',
    {
      entity: 'Tickets',
      filters: [
        {
          op: 'or',
          items: [
            { op: 'eq', field: 'id', value: 9_999 },
            { op: 'contains', field: 'title', value: 'nothing' },
          ],
        },
        { op: 'eq', field: 'Room', value: 'B12', udf: true },
      ],
    },
    { count: 1 },
  ],
];

/** The names that the founding document and the design promise. */
const promised = 40;

const environmentOf = ({ username, secret, integrationCode }: FakeAccount, fake: FakeAutotask) => ({
  AUTOTASK_API_USERNAME: username,
  AUTOTASK_API_SECRET: secret,
  AUTOTASK_API_INTEGRATION_CODE: integrationCode,
  AUTOTASK_ZONE_URL: fake.zoneUrl,
});

describe('the Autotask server, alone', () => {
  const account = someAccount('acme');
  let fake: FakeAutotask;
  let server: RunningServer;

  beforeAll(async () => {
    fake = await startFakeAutotask(account);
    server = await startServer('autotask', {
      ...environmentOf(account, fake),
      TENANT_ID: 'customer_acme',
      LOG_LEVEL: 'debug',
    });
  });
  afterAll(async () => {
    await server.client.close();
    await fake.close();
  });
  afterEach(() => expect(fake.violations).toEqual([]));

  test('has the forty promised tools and those that are tried here', async () => {
    const { tools } = await server.client.listTools();
    expect(tools.map(({ name }) => name).toSorted()).toEqual(everyTool.map(([name]) => name).toSorted());
    expect(everyTool.length).toBeGreaterThan(promised);
    for (const { name, annotations, outputSchema, description } of tools) {
      expect(annotations?.readOnlyHint, name).toBe(/^(get|search|list|count|test)_/.test(name));
      expect(annotations?.destructiveHint, name).toBe(name.startsWith('update_'));
      expect([outputSchema?.type, typeof description], name).toEqual(['object', 'string']);
    }
  });

  test.each(everyTool)('%s', async (name, args, answer) => {
    expect(await callFor(server.client, name, args)).toMatchObject(answer);
  });

  test('what was written is there', () => {
    const { Tickets = [], TicketNotes = [], Contacts = [], TicketAttachments = [] } = account.records;
    expect(Tickets.find(({ id }) => id === 10_001)).toMatchObject({
      title: 'Network Issues',
      status: 1,
      priority: 2,
    });
    expect(TicketNotes.find(({ id }) => id === 72)).toMatchObject({
      ticketID: 9_999,
      noteType: 3,
      publish: 2,
    });
    expect(Contacts.find(({ id }) => id === 501)).toMatchObject({ isActive: 0 });
    expect(TicketAttachments.find(({ id }) => id === 82)).toMatchObject({ fullPath: 'jam.txt', data: file });
  });

  test('a file comes as a file', async () => {
    const result = await server.client.callTool({
      name: 'get_ticket_attachment',
      arguments: { ticketID: 9_999, id: 81 },
    });
    expect(result.content).toMatchObject([
      { type: 'text' },
      {
        type: 'resource',
        resource: { mimeType: 'text/plain', blob: 'aGVsbG8=', uri: 'autotask://tickets/9999/attachments/81' },
      },
    ]);
  });

  test('says in its log what it read, and never its secrets', async () => {
    await callFor(server.client, 'search_companies', { pageSize: 25 });
    await eventually(() =>
      /Retrieved \d companies across 1 pages \(COMPLETE dataset for accuracy\)/.test(server.stderr()),
    );
    expect(server.stderr()).not.toContain(account.secret);
    expect(server.stderr()).not.toContain(account.integrationCode);
  });

  test('a secret that Autotask quotes back is masked', async () => {
    const answer = { status: 500, body: { errors: [`No ${account.secret} here`] } };
    fake.faults.push({ match: ({ path }) => path === '/Tickets/1', times: 1, action: { answer } });
    expect(await failureFrom(server.client, 'get_ticket', { id: 1 })).toMatchObject({
      code: 'REJECTED',
      error: 'Autotask refused: No [REDACTED] here',
    });
  });
});

describe('what people ask a chat for', () => {
  const account = someAccount('acme');
  let fake: FakeAutotask;
  let client: Client;

  beforeAll(async () => {
    fake = await startFakeAutotask(account);
    ({ client } = await startServer('autotask', environmentOf(account, fake)));
  });
  afterAll(async () => {
    await client.close();
    await fake.close();
  });
  afterEach(() => expect(fake.violations).toEqual([]));

  test('create a new ticket for company 12345 with title "Network Issues"', async () => {
    const description = 'Customer reporting intermittent connectivity problems';
    const args = { companyID: 12_345, title: 'Network Issues', description };
    const made = await callFor<{ id: number }>(client, 'create_ticket', args);
    // Status has a default in this account, priority has none and is the one called Medium.
    expect(made).toMatchObject({ defaults: { status: 1, priority: 3 } });
    expect(await callFor(client, 'get_ticket', { id: made.id })).toMatchObject({
      ...args,
      _labels: { status: 'New', priority: 'Medium' },
    });
  });

  test('find all companies with "Tech" in their name', async () => {
    const { items } = await callFor<{ items: { companyName: string }[] }>(client, 'search_companies', {
      searchTerm: 'Tech',
    });
    expect(items.map(({ companyName }) => companyName)).toEqual(['Tech Partners acme', 'Old Tech acme']);
  });

  test('log 2.5 hours for resource 678 on ticket 9999', async () => {
    const summaryNotes = 'Investigated and resolved network issue';
    const args = {
      resourceID: 678,
      ticketID: 9_999,
      hoursWorked: 2.5,
      dateWorked: '2026-02-03',
      summaryNotes,
    };
    const { id } = await callFor<{ id: number }>(client, 'create_time_entry', args);
    // The role is the resource's own.
    expect(account.records['TimeEntries']!.find((each) => each['id'] === id)).toMatchObject({
      ...args,
      dateWorked: '2026-02-03T00:00:00Z',
      roleID: 77,
    });
  });

  test('create a new project called "Office 365 Migration" for company 12345', async () => {
    const args = { projectName: 'Office 365 Migration', companyID: 12_345, ...plan };
    const { id } = await callFor<{ id: number }>(client, 'create_project', args);
    expect(await callFor(client, 'get_project', { id })).toMatchObject({
      projectName: 'Office 365 Migration',
      startDateTime: '2026-02-01T00:00:00Z',
      _labels: { projectType: 'Fixed Price', status: 'New' },
    });
  });

  test('show me all open opportunities for company 12345', async () => {
    const found = await callFor(client, 'search_opportunities', { companyID: 12_345, status: 'Open' });
    expect(found).toMatchObject({
      count: 1,
      complete: true,
      items: [{ id: 900, _labels: { status: 'Open', stage: 'Proposal' } }],
    });
  });
});

describe('the example tenant', () => {
  const folder = useTempFolder();
  const example = path.resolve(import.meta.dirname, '../../tenants/examples/autotask.yaml');
  const checked = (env: Record<string, string>) => {
    mkdirSync(folder.file('tenants'));
    copyFileSync(example, folder.file('tenants', 'autotask.yaml'));
    chmodSync(folder.file('tenants', 'autotask.yaml'), 0o600);
    writeFileSync(folder.file('proxy.config.yaml'), '');
    return runCommand(['check'], { cwd: folder.path, env });
  };

  test('is sound once its variables are set', async () => {
    const env = { AUTOTASK_API_USERNAME: 'a', AUTOTASK_API_SECRET: 'b', AUTOTASK_API_INTEGRATION_CODE: 'c' };
    expect(await checked(env)).toMatchObject({ code: 0, out: '1 tenant, no problem found\n' });
  });

  test('says which of them are not', async () => {
    const { code, out } = await checked({});
    expect(code).toBe(1);
    expect(out.match(/MISSING_VARIABLE AUTOTASK_API_\w+/g)).toHaveLength(3);
  });
});

describe('two tenants behind the proxy', () => {
  const accounts = { customer_acme: someAccount('acme'), customer_beta: someAccount('beta') };
  const tenants = Object.entries(accounts);
  let fake: FakeAutotask;
  let proxy: RunningProxy;
  const clients: Record<string, Client> = {};
  const credentials = (headers: SeenRequest['headers']) =>
    [headers['username'], headers['secret'], headers['apiintegrationcode']].join(' ');
  const whole = tenants.map(([, { username, secret, integrationCode }]) =>
    [username, secret, integrationCode].join(' '),
  );

  beforeAll(async () => {
    fake = await startFakeAutotask(...Object.values(accounts));
    const env: Record<string, string> = { ZONE_URL: fake.zoneUrl };
    const files: Record<string, string> = {};
    for (const [id, account] of tenants) {
      const prefix = id.toUpperCase();
      env[`${prefix}_USERNAME`] = account.username;
      env[`${prefix}_SECRET`] = account.secret;
      env[`${prefix}_INTEGRATION`] = account.integrationCode;
      files[id] = `tenant: ${id}
server:
  use: autotask
  env:
    TENANT_ID: ${id}
    AUTOTASK_USERNAME: "\${${prefix}_USERNAME}"
    AUTOTASK_SECRET: "\${${prefix}_SECRET}"
    AUTOTASK_INTEGRATION_CODE: "\${${prefix}_INTEGRATION}"
    AUTOTASK_ZONE_URL: "\${ZONE_URL}"
pool: { max: 1 }
`;
    }
    proxy = await startProxy({ tenants: files, env });
    for (const [id] of tenants) clients[id] = await connect(proxy.url, proxy.keys[id]!);
  });
  afterAll(async () => {
    for (const client of Object.values(clients)) await client.close();
    await proxy.stop();
    await fake.close();
    expect(fake.violations).toEqual([]);
  });

  test('the same questions at once are each answered from the asker`s own account', async () => {
    fake.requests.length = 0;
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, round) =>
        tenants.map(async ([id]) => {
          const found = await callFor<{ items: unknown[] }>(clients[id]!, 'search_tickets', {
            maxRecords: (round % 3) + 1,
          });
          return [id, JSON.stringify(found)] as const;
        }),
      ).flat(),
    );
    for (const [id, text] of all) {
      const [own, other] = id === 'customer_acme' ? ['acme', 'beta'] : ['beta', 'acme'];
      expect(text).toContain(`at ${own}`);
      expect(text).not.toContain(other);
    }
    // And each request carried one account's three credentials, whole and unmixed.
    const triples = new Set(
      fake.requests.filter(({ host }) => host === 'api').map(({ headers }) => credentials(headers)),
    );
    expect([...triples].toSorted()).toEqual(whole.toSorted());
  });

  test('a customer`s dashboard: their active companies', async () => {
    const found = await callFor(clients['customer_acme']!, 'search_companies', {
      searchTerm: '',
      isActive: true,
      pageSize: 50,
    });
    expect(found).toMatchObject({ count: 3, complete: true });
  });

  test('a ticket for one of several customers is in that one`s account only', async () => {
    const args = {
      title: 'Server maintenance request',
      description: 'Monthly server maintenance needed',
      companyID: 12_345,
      priority: 2,
    };
    const { id } = await callFor<{ id: number }>(clients['customer_beta']!, 'create_ticket', args);
    const ticketsOf = (account: FakeAccount) =>
      account.records['Tickets']!.filter(({ title }) => title === args.title);
    expect(ticketsOf(accounts.customer_beta)).toMatchObject([{ id, ...args }]);
    expect(ticketsOf(accounts.customer_acme)).toEqual([]);
  });

  test('the health of a customer`s connection', async () => {
    const client = clients['customer_acme']!;
    expect(await callFor(client, 'test_connection')).toMatchObject({
      connected: true,
      tenant: 'customer_acme',
    });
    const answer = { status: 401, body: undefined };
    fake.faults.push({ match: ({ path }) => path === '/Version', times: 1, action: { answer } });
    const failure = await failureFrom(client, 'test_connection');
    expect(failure.error).toContain('❌ Failed to connect to Autotask API for tenant: customer_acme');
    expect(failure).toMatchObject({
      code: 'UNAUTHENTICATED',
      hint: expect.stringMatching(/secret/) as string,
    });
    // The other one's connection is none the worse.
    expect(await callFor(clients['customer_beta']!, 'test_connection')).toMatchObject({ connected: true });
  });

  test('every tool answers both at once, each request with the credentials of one account', async () => {
    for (const [id, { records }] of tenants) {
      // As they were at the beginning: what was written before has taken ids.
      Object.assign(records, someAccount(id.replace('customer_', '')).records);
    }
    for (const [name, args, answer] of everyTool) {
      fake.requests.length = 0;
      const answers = await Promise.all(tenants.map(([id]) => callFor(clients[id]!, name, args)));
      const own = name === 'test_connection' ? {} : answer;
      for (const each of answers) expect(each, name).toMatchObject(own);
      const asked = fake.requests
        .filter(({ host }) => host === 'api')
        .map(({ headers }) => credentials(headers));
      for (const each of asked) expect(whole, name).toContain(each);
    }
  }, 20_000);

  test('nothing of either account stands in the proxy`s log', () => {
    const text = JSON.stringify(proxy.logs);
    for (const [, account] of tenants) {
      expect(text).not.toContain(account.secret);
      expect(text).not.toContain(account.integrationCode);
    }
  });
});
