import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../src/servers/kit/clock.ts';
import { type FakeAccount, someAccount } from '../../../support/fake-autotask/accounts.ts';
import {
  type FakeAutotask,
  type Fault,
  type SeenRequest,
  startFakeAutotask,
} from '../../../support/fake-autotask/fake-autotask.ts';
import { type SomeAutotask, someAutotask } from './some-autotask.ts';

/** How the server deals with Autotask as it is: each behaviour of the vendor that is written down or was measured. */
let account: FakeAccount;
let fake: FakeAutotask;
let autotask: SomeAutotask;

beforeEach(async () => {
  account = someAccount('acme');
  fake = await startFakeAutotask(account);
  autotask = someAutotask(fake, account);
});
afterEach(async () => {
  await fake.close();
  expect(fake.violations).toEqual([]);
  // Whatever happened, the log does not tell.
  const logs = autotask.logged.join('');
  expect(logs).not.toContain(account.secret);
  expect(logs).not.toContain(account.integrationCode);
});

const to = (method: string, path: string | RegExp) => (request: SeenRequest) =>
  request.method === method && (typeof path === 'string' ? request.path === path : path.test(request.path));
const failing = (match: Fault['match'], action: Fault['action'], times = 1) => {
  fake.faults.push({ match, times, action });
};
const asked = (method: string, path: string | RegExp) => fake.requests.filter(to(method, path));
const many = (count: number) => {
  account.records['Tickets'] = Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    companyID: 1,
    title: `Ticket ${index + 1}`,
    status: 1,
  }));
};

describe('the zone', () => {
  const lookingUp = (env: Record<string, string> = {}) =>
    someAutotask(fake, account, { env: { AUTOTASK_API_URL: '', AUTOTASK_ZONE_URL: fake.zoneUrl, ...env } });

  test('is looked up once, by all callers together, without credentials', async () => {
    const own = lookingUp();
    await Promise.all([1, 2, 3].map(() => own.call('get_ticket', { id: 9_999 })));
    const lookups = fake.requests.filter(({ host }) => host === 'zone');
    expect(lookups.map(({ path }) => path)).toEqual([
      `/atservicesrest/v1.0/zoneInformation?user=${encodeURIComponent(account.username)}`,
    ]);
    for (const name of ['username', 'secret', 'apiintegrationcode'])
      expect(lookups[0]!.headers).not.toHaveProperty(name);
    expect(asked('GET', '/Tickets/9999')).toHaveLength(3);
  });

  test('of a user there is not is told as such, and not asked for again', async () => {
    const own = lookingUp({ AUTOTASK_API_USERNAME: 'nobody@example.com' });
    expect(await own.fails('get_ticket', { id: 9_999 })).toMatchObject({
      code: 'UNAUTHENTICATED',
      message: 'Autotask knows no zone for this user',
      hint: expect.stringContaining('AUTOTASK_API_USERNAME') as string,
    });
    expect(fake.requests).toHaveLength(1);
  });

  test.each([
    'https://evil.example/ATServicesRest/',
    'http://webservices6.autotask.net/ATServicesRest/',
    'nonsense',
  ])('that is said to be at %s gets no credentials', async (there) => {
    fake.variant.zoneSays = there;
    expect(await lookingUp().fails('get_ticket', { id: 9_999 })).toMatchObject({ code: 'BAD_REPLY' });
    expect(fake.requests.every(({ host }) => host === 'zone')).toBe(true);
  });

  test('is looked up again after credentials were refused: databases move', async () => {
    const own = lookingUp();
    await own.call('get_ticket', { id: 9_999 });
    failing(to('GET', '/Tickets/9999'), { answer: { status: 401, body: undefined } });
    await own.fails('get_ticket', { id: 9_999 });
    await own.call('get_ticket', { id: 9_999 });
    expect(fake.requests.filter(({ host }) => host === 'zone')).toHaveLength(2);
  });

  test('lookup that fails for a moment is tried again', async () => {
    failing(({ host }) => host === 'zone', { answer: { status: 503, text: '<html>busy</html>' } });
    await lookingUp().call('get_ticket', { id: 9_999 });
    expect(fake.requests.filter(({ host }) => host === 'zone')).toHaveLength(2);
  });
});

describe('credentials', () => {
  test.each(['401', '500'] as const)(
    'that are refused with %s are told as such, with advice',
    async (how) => {
      fake.variant.wrongCredentials = how;
      const own = someAutotask(fake, account, { env: { AUTOTASK_API_SECRET: 'a-wrong-secret' } });
      const failure = await own.fails('get_ticket', { id: 9_999 });
      expect(failure).toMatchObject({
        code: 'UNAUTHENTICATED',
        hint: expect.stringMatching(/zone/) as string,
      });
      expect(fake.requests).toHaveLength(1);
    },
  );

  test('that may not do something are told so', async () => {
    failing(to('GET', '/Tickets/9999'), { answer: { status: 403, body: undefined } });
    expect(await autotask.fails('get_ticket', { id: 9_999 })).toMatchObject({
      code: 'FORBIDDEN',
      hint: expect.stringMatching(/security level/) as string,
    });
  });

  test('of whoever is impersonated go along', async () => {
    const own = someAutotask(fake, account, { env: { AUTOTASK_IMPERSONATION_RESOURCE_ID: '678' } });
    await own.call('get_ticket', { id: 9_999 });
    expect(fake.requests[0]!.headers['impersonationresourceid']).toBe('678');
  });
});

describe('pages', () => {
  test('are read until there are enough, each with the same filter', async () => {
    many(1_200);
    const found = await autotask.call('search_tickets', { status: 'New', maxRecords: 1_100 });
    expect(found).toMatchObject({ count: 1_100, complete: false });
    const [first, ...next] = asked('POST', /^\/Tickets\/query/);
    expect(first!.body).toEqual({ filter: [{ op: 'eq', field: 'status', value: 1 }], MaxRecords: 500 });
    expect(next.map(({ body }) => body)).toEqual(
      [1, 2].map(() => ({ filter: [{ op: 'eq', field: 'status', value: 1 }] })),
    );
    expect(autotask.progress).toEqual([1_000, 1_100]);
    expect(autotask.logged.join('')).toContain(
      'Retrieved 1100 tickets across 3 pages (MORE with nextPageToken)',
    );
  });

  test('go on from the token, and nothing comes twice or not at all', async () => {
    many(23);
    const seen: unknown[] = [];
    let pageToken: unknown;
    do {
      const args = { keyword: 'Ticket', maxRecords: 7, ...(pageToken !== undefined && { pageToken }) };
      const part = await autotask.call('search_tickets', args);
      seen.push(...(part['items'] as { id: number }[]).map(({ id }) => id));
      pageToken = part['nextPageToken'];
    } while (pageToken !== undefined);
    expect(seen).toEqual(Array.from({ length: 23 }, (_, index) => index + 1));
  });

  test('of another tool or made up are refused before anything is asked', async () => {
    many(3);
    const { nextPageToken: pageToken } = await autotask.call('search_tickets', { maxRecords: 1 });
    expect(await autotask.fails('search_companies', { pageToken })).toMatchObject({ code: 'INVALID_INPUT' });
    expect(await autotask.fails('search_tickets', { pageToken: 'x' })).toMatchObject({
      code: 'INVALID_INPUT',
    });
    expect(fake.requests.filter(({ path }) => path.startsWith('/Companies'))).toEqual([]);
  });

  test('are also had where their links want a GET', async () => {
    many(600);
    fake.variant.nextPage = 'GET';
    expect(await autotask.call('search_tickets', { maxRecords: 600 })).toMatchObject({
      count: 600,
      complete: true,
    });
  });

  test('elsewhere are not fetched, so that no credential leaves', async () => {
    const thief = await startFakeAutotask(account);
    many(600);
    fake.variant.nextPageOrigin = new URL(thief.apiUrl).origin;
    expect(await autotask.fails('search_tickets', { maxRecords: 600 })).toMatchObject({ code: 'BAD_REPLY' });
    expect(thief.requests).toEqual([]);
    await thief.close();
  });

  test('are had with a search as large as may be', async () => {
    many(30);
    const value = Array.from({ length: 500 }, (_, at) => at + 1);
    const lists = Array.from({ length: 3 }, () => ({ op: 'in', field: 'id', value }));
    const others = Array.from({ length: 47 }, () => ({ op: 'exist', field: 'id' }));
    const args = { companyID: 1, status: 'New', filters: [...lists, ...others], maxRecords: 20 };
    const first = await autotask.call('search_tickets', args);
    expect(first).toMatchObject({ count: 20, complete: false });
    const pageToken = String(first['nextPageToken']);
    expect(pageToken.length).toBeGreaterThan(16_384);
    expect(await autotask.call('search_tickets', { pageToken })).toMatchObject({ count: 10, complete: true });
  });

  test('a token whose link was changed leads nowhere else', async () => {
    const forge = (link: string) =>
      Buffer.from(
        JSON.stringify(['search_tickets', { filter: [{ op: 'eq', field: 'id', value: 1 }], link, skip: 0 }]),
      ).toString('base64url');
    for (const link of [
      'https://evil.example/ATServicesRest/V1.0/Tickets/query/next',
      `${new URL(fake.apiUrl).origin}/elsewhere/Tickets/query/next`,
      'Resources/query?x=/Tickets/query/next',
      '../../Tickets/query',
      'Companies/5',
    ])
      expect((await autotask.fails('search_tickets', { pageToken: forge(link) })).code).toMatch(/BAD_REPLY/);
    expect(fake.requests).toEqual([]);
  });
});

describe('what Autotask refuses', () => {
  test.each([
    [
      'a field there is not',
      { filters: [{ op: 'eq', field: 'nothing', value: 1 }] },
      /Unable to find nothing in the Tickets Entity/,
    ],
    [
      'two user-defined fields',
      {
        filters: [
          { op: 'eq', field: 'Room', udf: true, value: 'a' },
          { op: 'eq', field: 'Desk', udf: true, value: 'b' },
        ],
      },
      /one user defined field/,
    ],
    ['a field to include there is not', { includeFields: ['nothing'] }, /Unable to find nothing/],
  ])('%s comes back in its own words, after one request', async (_what, args, words) => {
    const failure = await autotask.fails('search_tickets', args);
    expect(failure).toMatchObject({ code: 'REJECTED', executed: 'no', retryable: false });
    expect(failure.message).toMatch(words);
    expect(asked('POST', '/Tickets/query')).toHaveLength(1);
  });

  test.each([
    ['an operator there is not', { filters: [{ op: 'like', field: 'title', value: 'a' }] }],
    ['more than 2,000 records', { maxRecords: 2_001 }],
    ['no records', { maxRecords: 0 }],
    ['an argument there is not', { companyId: 5 }],
    ['an id that is none', { companyID: '5 or 1=1' }],
  ])('%s is refused before anything is asked', async (_what, args) => {
    expect(await autotask.fails('search_tickets', args)).toMatchObject({ code: 'INVALID_INPUT' });
    expect(fake.requests).toEqual([]);
  });

  test.each([
    [{ op: 'like', field: 'title', value: 'a' }, /^filters\.0\.op: Invalid option: expected one of "eq"/],
    [{ op: 'eq', field: 'id', value: [1] }, /^filters\.0: "eq" needs one value; for several there is "in"$/],
    [{ op: 'in', field: 'id', value: 1 }, /^filters\.0: "in" needs a list of values$/],
    [{ op: 'eq', field: 'queueID' }, /^filters\.0: "eq" needs a value; .*"notExist"$/],
    [{ op: 'eq', field: 'queueID', value: null }, /^filters\.0\.value: .*received null/],
    [{ op: 'exist', field: 'queueID', value: 1 }, /^filters\.0: "exist" takes no value$/],
    [{ op: 'eq', value: 1 }, /^filters\.0: "eq" needs field/],
    [{ op: 'eq', field: 'a","b', value: 1 }, /^filters\.0: "eq" needs field/],
    [{ op: 'eq', field: 'id', value: 1, items: [{}] }, /^filters\.0: only the groups/],
    [
      { op: 'or', field: 'id', items: [{ op: 'eq', field: 'id', value: 1 }] },
      /^filters\.0: a group has op and items/,
    ],
    [{ op: 'or' }, /^filters\.0: a group has op and items/],
    [{ op: 'or', items: [] }, /^filters\.0\.items: Too small/],
    [
      { op: 'and', items: [{ op: 'or', items: [{ op: 'is', field: 'a' }] }] },
      /^filters\.0\.items\.0\.items\.0\.op: /,
    ],
    [
      { op: 'and', items: [{ op: 'eq', field: 'a', valeu: 1 }] },
      /^filters\.0\.items\.0: Unrecognized key: "valeu"/,
    ],
  ])('%j is no condition, and the answer says why', async (condition, words) => {
    const failure = await autotask.fails('search_tickets', { filters: [condition] });
    expect(failure.code).toBe('INVALID_INPUT');
    expect(failure.message).toMatch(words);
    expect(fake.requests).toEqual([]);
  });

  test('groups of groups are understood, and those without end are not', async () => {
    const both = (id: number, status: number) => ({
      op: 'and',
      items: [
        { op: 'eq', field: 'id', value: id },
        { op: 'eq', field: 'status', value: status },
      ],
    });
    const either = { op: 'or', items: [both(9_999, 1), both(10_000, 1)] };
    expect(await autotask.call('search_tickets', { filters: [either] })).toMatchObject({
      count: 1,
      items: [{ id: 9_999 }],
    });
    let deep: object = { op: 'eq', field: 'id', value: 1 };
    for (let level = 0; level < 5_000; level++) deep = { op: 'and', items: [deep] };
    expect((await autotask.fails('search_tickets', { filters: [deep] })).message).toMatch(
      /groups may hold groups, 3 deep at most$/,
    );
  });

  test('what is missing is named, also in one of many', async () => {
    expect((await autotask.fails('create_ticket', { description: 'a' })).message).toBe(
      'title is missing; companyID is missing',
    );
    expect((await autotask.fails('update_tickets', { tickets: [{ id: 1, title: 'a' }, {}] })).message).toBe(
      'tickets.1.id is missing',
    );
    expect(fake.requests).toEqual([]);
  });

  test('an argument of several forms is refused with what each wants', async () => {
    expect((await autotask.fails('search_tickets', { companyID: {}, status: [] })).message).toBe(
      'companyID: expected number, received object, or expected string, received object; ' +
        'status: expected number, received array, or expected string, received array',
    );
  });

  test('a pair of resource and role that is none', async () => {
    const ticket = { companyID: 12_345, title: 'a', assignedResourceID: 678, assignedResourceRoleID: 1 };
    expect(await autotask.fails('create_ticket', ticket)).toMatchObject({
      code: 'REJECTED',
      message: expect.stringContaining('combination of assignedResourceID') as string,
    });
    expect(asked('POST', '/Tickets')).toHaveLength(1);
  });

  test('a number that is on no list', async () => {
    const ticket = { companyID: 12_345, title: 'a', priority: 99 };
    expect((await autotask.fails('create_ticket', ticket)).message).toContain(
      'Picklist value [99] does not exist for priority.',
    );
  });

  test('a 200 that holds errors is a failure', async () => {
    failing(to('POST', '/Tickets'), { answer: { status: 200, body: { itemId: null, errors: ['Not so.'] } } });
    expect(await autotask.fails('create_ticket', { companyID: 1, title: 'a' })).toMatchObject({
      code: 'REJECTED',
      message: 'Autotask refused: Not so.',
    });
  });

  test.each(['null', '404'] as const)('a record that is not there, told with %s', async (how) => {
    fake.variant.missing = how;
    expect(await autotask.fails('get_ticket', { id: 4_711 })).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('limits', () => {
  test('never are more than two requests at one kind of record at once', async () => {
    fake.variant.latencyMs = 15;
    await Promise.all([
      ...Array.from({ length: 12 }, () => autotask.call('get_ticket', { id: 9_999 })),
      ...Array.from({ length: 6 }, () => autotask.call('get_company', { id: 12_345 })),
    ]);
    const most = [...fake.mostAtOnce].map(([key, value]) => `${key.split(' ')[1]} ${value}`);
    expect(most.toSorted()).toEqual(['Companies 2', 'Tickets 2']);
  });

  test('of threads, where others use them up, are waited for', async () => {
    const busy = {
      status: 500,
      body: {
        errors: ['Thread Threshold Exceeded: the threshold of 3 threads has been exceeded. Itgenatr005'],
      },
    };
    failing(to('GET', '/Tickets/9999'), { answer: busy }, 2);
    expect(await autotask.call('get_ticket', { id: 9_999 })).toMatchObject({ id: 9_999 });
  });

  test('a write that was refused for them is made again: it cannot have happened', async () => {
    failing(to('POST', '/Tickets'), { answer: { status: 429, text: 'Itgenatr005' } });
    await autotask.call('create_ticket', { companyID: 12_345, title: 'once' });
    expect(account.records['Tickets']!.filter(({ title }) => title === 'once')).toHaveLength(1);
  });

  test('of the hour are told with when to come back', async () => {
    fake.variant.hourlyLimit = 0;
    expect(await autotask.fails('get_ticket', { id: 9_999 })).toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterSeconds: 60,
      message: expect.stringMatching(/hourly/) as string,
    });
    expect(fake.requests).toHaveLength(1);
  });

  test('with a time from the vendor are told with that', async () => {
    failing(to('GET', '/Tickets/9999'), {
      answer: { status: 429, text: '', headers: { 'retry-after': '1800' } },
    });
    expect(await autotask.fails('get_ticket', { id: 9_999 })).toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterSeconds: 1_800,
    });
  });
});

describe('trouble on the way', () => {
  test.each([
    ['503 with a page for people', { answer: { status: 503, text: '<html>Down</html>' } }],
    ['500 without a word', { answer: { status: 500, text: '' } }],
    ['a connection that is cut', { cut: 'before' }],
    ['half an answer', { cut: 'middle' }],
    ['an answer that is no JSON', { answer: { status: 200, text: '<html>Hello</html>' } }],
  ] as const)('%s: a read is tried again', async (_what, action) => {
    failing(to('GET', '/Tickets/9999'), action, 2);
    expect(await autotask.call('get_ticket', { id: 9_999 })).toMatchObject({ id: 9_999 });
    expect(asked('GET', '/Tickets/9999')).toHaveLength(3);
  });

  test('that stays is told after three tries', async () => {
    failing(to('GET', '/Tickets/9999'), { answer: { status: 502, text: '' } }, 9);
    expect(await autotask.fails('get_ticket', { id: 9_999 })).toMatchObject({
      code: 'UNAVAILABLE',
      status: 502,
    });
    expect(asked('GET', '/Tickets/9999')).toHaveLength(3);
  });

  test.each([
    ['the connection is cut after it was done', { cut: 'after' }],
    ['half of the answer comes', { cut: 'middle' }],
    ['a gateway says 502', { answer: { status: 502, text: '' } }],
  ] as const)('a write is never made twice: %s', async (_what, action) => {
    failing(to('POST', '/Tickets'), action, 9);
    expect(await autotask.fails('create_ticket', { companyID: 12_345, title: 'once' })).toMatchObject({
      executed: 'unknown',
    });
    expect(asked('POST', '/Tickets')).toHaveLength(1);
  });

  test('silence ends with the deadline', async () => {
    const own = someAutotask(fake, account, { env: { AUTOTASK_TIMEOUT_MS: '2000' }, clock: systemClock });
    failing(to('PATCH', '/Tickets'), { stall: true });
    expect(await own.fails('update_ticket', { id: 9_999, title: 'a' })).toMatchObject({
      code: 'TIMED_OUT',
      executed: 'unknown',
    });
    expect(asked('PATCH', '/Tickets')).toHaveLength(1);
  });

  test('20 MB are not read', async () => {
    failing(
      to('GET', '/Tickets/9999'),
      { answer: { status: 200, text: `{"item":"${'x'.repeat(20_000_000)}"}` } },
      3,
    );
    expect(await autotask.fails('get_ticket', { id: 9_999 })).toMatchObject({
      code: 'BAD_REPLY',
      message: expect.stringMatching(/larger than/) as string,
    });
  });

  test('a caller who goes away ends the request at Autotask too', async () => {
    const controller = new AbortController();
    failing(to('GET', '/Tickets/9999'), { stall: true });
    const call = autotask.call('get_ticket', { id: 9_999 }, controller.signal);
    setTimeout(() => controller.abort(), 30);
    await expect(call).rejects.toMatchObject({ code: 'CANCELLED' });
    // The place it held is free: two more run at once.
    await Promise.all([1, 2].map(() => autotask.call('get_ticket', { id: 10_000 })));
  });
});

describe('lists of values', () => {
  test('are had by their labels, whatever this account calls them, and are looked up once', async () => {
    const other = someAccount('globex', {
      Tickets: {
        status: [{ value: 77, label: 'Frisch' }],
        priority: [{ value: 3, label: 'Dringend', isDefaultValue: true }],
      },
    });
    fake.accounts.push(other);
    const theirs = someAutotask(fake, other);
    const { id } = await theirs.call('create_ticket', { companyID: 1, title: 'Neu', status: 'frisch' });
    expect(other.records['Tickets']!.find((each) => each['id'] === id)).toMatchObject({
      status: 77,
      priority: 3,
    });
    await theirs.call('search_tickets', { status: 'Frisch' });
    expect(asked('GET', '/Tickets/entityInformation/fields')).toHaveLength(1);
    expect((await theirs.fails('search_tickets', { status: 'New' })).hint).toBe('There are: Frisch (77)');
    const own = await autotask.call('search_tickets', { status: 'New' });
    expect(own['items']).toMatchObject([
      { status: 1, _labels: { status: 'New', priority: 'High', queueID: 'Client Portal' } },
    ]);
  });

  test('a value that is switched off can be searched for and not be given', async () => {
    await autotask.call('search_tickets', { status: 'Waiting Materials' });
    const failure = await autotask.fails('update_ticket', { id: 9_999, status: 'Waiting Materials' });
    expect(failure).toMatchObject({
      code: 'INVALID_INPUT',
      hint: 'There are: New (1), Complete (5), In Progress (8)',
    });
  });

  test('a value that depends on another is found below that one', async () => {
    const ticket = { id: 9_999, issueType: 'Computer', subIssueType: 'Other' };
    await autotask.call('update_ticket', ticket);
    expect(account.records['Tickets']![0]).toMatchObject({ issueType: 2, subIssueType: 12 });
    expect((await autotask.fails('update_ticket', { id: 9_999, subIssueType: 'Other' })).message).toMatch(
      /several values of this name: 11, 12/,
    );
  });

  test('a label that is a number is a label, unless a value is called so', async () => {
    const years = [
      { value: 1, label: '2025' },
      { value: 2, label: '2026' },
      { value: 2025, label: 'Someday' },
    ];
    const other = someAccount('globex', { Tickets: { queueID: years } });
    fake.accounts.push(other);
    const theirs = someAutotask(fake, other);
    for (const queueID of ['2026', '2025', 2026, '77']) await theirs.call('search_tickets', { queueID });
    const sent = asked('POST', '/Tickets/query').map(({ body }) => (body as { filter: unknown[] }).filter[0]);
    expect(sent).toEqual([2, 2025, 2026, 77].map((value) => ({ op: 'eq', field: 'queueID', value })));
  });

  test('with texts for values keep them', async () => {
    const { fields } = await autotask.call('get_field_info', {
      entity: 'TicketAttachments',
      field: 'attachmentType',
    });
    expect(fields).toMatchObject([
      { picklist: [{ value: 'FILE_ATTACHMENT', label: 'Attachment' }, { value: 'URL' }] },
    ]);
    expect(await autotask.call('list_ticket_attachments', { ticketID: 9_999 })).toMatchObject({
      items: [{ attachmentType: 'FILE_ATTACHMENT', _labels: { attachmentType: 'Attachment' } }],
    });
  });

  test('that cannot be read leave answers without labels, and right', async () => {
    failing(to('GET', /entityInformation/), { answer: { status: 403, body: undefined } }, 9);
    const ticket = await autotask.call('get_ticket', { id: 9_999 });
    expect(ticket).toMatchObject({ id: 9_999, status: 1 });
    expect(ticket).not.toHaveProperty('_labels');
  });
});

describe('times', () => {
  test('come marked as UTC, whether Autotask says so or not', async () => {
    const ticket = await autotask.call('get_ticket', { id: 9_999 });
    expect(ticket).toMatchObject({ createDate: '2026-01-05T10:00:00Z', dueDateTime: '2026-01-06T10:00:00Z' });
    const found = await autotask.call('search_tickets', { ticketNumber: 'T20260106.0001' });
    expect(found['items']).toMatchObject([{ createDate: '2026-01-06T10:00:00.123Z' }]);
  });

  test.each([
    ['2026-02-01', '2026-02-01T00:00:00Z'],
    ['2026-02-01T09:30', '2026-02-01T09:30:00Z'],
    ['2026-02-01 09:30:15', '2026-02-01T09:30:15Z'],
    ['2026-02-01T09:30:00+01:00', '2026-02-01T08:30:00Z'],
  ])('%s goes as %s', async (written, sent) => {
    await autotask.call('update_ticket', { id: 9_999, dueDateTime: written });
    expect(asked('PATCH', '/Tickets')[0]!.body).toEqual({ id: 9_999, dueDateTime: sent });
  });

  test.each(['tomorrow', '01.02.2026', '2026-13-01', '2026-02-31', '2026-02-01T25:00:00Z', 'see 5', ''])(
    '%j is no time',
    async (written) => {
      expect(await autotask.fails('update_ticket', { id: 9_999, dueDateTime: written })).toMatchObject({
        code: 'INVALID_INPUT',
      });
      expect(fake.requests).toEqual([]);
    },
  );

  test('the last day of a search is the whole day', async () => {
    const found = await autotask.call('search_tickets', {
      createdAfter: '2026-01-06',
      createdBefore: '2026-01-06',
    });
    expect(found).toMatchObject({ count: 1, items: [{ id: 10_000 }] });
    // Its last half second too, and not the first moment of the next.
    account.records['Tickets']![1]!['createDate'] = '2026-01-06T23:59:59.700';
    account.records['Tickets']![0]!['createDate'] = '2026-01-07T00:00:00';
    expect(await autotask.call('search_tickets', { createdBefore: '2026-01-06' })).toMatchObject({
      items: [{ id: 10_000 }],
    });
    expect(await autotask.call('search_tickets', { createdBefore: '2026-01-07T00:00:00Z' })).toMatchObject({
      count: 2,
    });
  });
});

describe('writing', () => {
  test('changes what was given and nothing else, at the collection`s own path', async () => {
    await autotask.call('update_ticket', {
      id: 9_999,
      priority: 'Low',
      additionalFields: { purchaseOrderNumber: 'P-1' },
      userDefinedFields: [{ name: 'Room', value: 'C3' }],
    });
    expect(asked('PATCH', '/Tickets')[0]!.body).toEqual({
      id: 9_999,
      priority: 4,
      userDefinedFields: [{ name: 'Room', value: 'C3' }],
      purchaseOrderNumber: 'P-1',
    });
  });

  test.each([
    ['nothing to change', 'update_ticket', { id: 9_999 }],
    ['only where it belongs', 'update_contact', { id: 501, companyID: 12_345 }],
    ['a field twice', 'update_ticket', { id: 9_999, title: 'a', additionalFields: { Title: 'b' } }],
    ['another id', 'update_ticket', { id: 9_999, title: 'a', additionalFields: { ID: 5 } }],
    [
      'time on a ticket and on a task',
      'create_time_entry',
      { resourceID: 678, ticketID: 1, taskID: 2, dateWorked: '2026-01-01', hoursWorked: 1 },
    ],
    ['time on nothing', 'create_time_entry', { resourceID: 678, dateWorked: '2026-01-01', hoursWorked: 1 }],
    [
      'no time',
      'create_time_entry',
      { resourceID: 678, ticketID: 9_999, dateWorked: '2026-01-01', hoursWorked: 0 },
    ],
    [
      'more than a day',
      'create_time_entry',
      { resourceID: 678, ticketID: 9_999, dateWorked: '2026-01-01', hoursWorked: 25 },
    ],
    ['a time without a day', 'create_time_entry', { resourceID: 678, ticketID: 9_999, hoursWorked: 1 }],
    ['a file with a path', 'add_ticket_attachment', { ticketID: 9_999, fileName: '../../x', data: 'aGk=' }],
    [
      'a file that is too large',
      'add_ticket_attachment',
      { ticketID: 9_999, fileName: 'x', data: 'A'.repeat(8_400_000) },
    ],
  ])('%s is refused before anything is asked', async (_what, name, args) => {
    expect(await autotask.fails(name, args)).toMatchObject({ code: 'INVALID_INPUT' });
    expect(fake.requests).toEqual([]);
  });

  test('null empties a field, and nothing else does', async () => {
    await autotask.call('update_ticket', {
      id: 9_999,
      assignedResourceID: null,
      assignedResourceRoleID: null,
      queueID: null,
      dueDateTime: null,
      description: '',
    });
    expect(asked('PATCH', '/Tickets')[0]!.body).toEqual({
      id: 9_999,
      assignedResourceID: null,
      assignedResourceRoleID: null,
      queueID: null,
      dueDateTime: null,
      description: '',
    });
    expect(await autotask.call('update_tickets', { tickets: [{ id: 10_000, queueID: null }] })).toMatchObject(
      {
        updated: 1,
      },
    );
    expect(await autotask.fails('create_ticket', { companyID: 1, title: 'a', queueID: null })).toMatchObject({
      code: 'INVALID_INPUT',
    });
    expect(await autotask.fails('update_contact', { id: 501, companyID: null, title: 'a' })).toMatchObject({
      code: 'INVALID_INPUT',
    });
  });

  test('words about a person who is inactive are not taken for a refusal of the credentials', async () => {
    failing(to('PATCH', '/Tickets'), {
      answer: { status: 500, body: { errors: ['The assigned user is inactive.'] } },
    });
    expect(await autotask.fails('update_ticket', { id: 9_999, title: 'a' })).toMatchObject({
      code: 'REJECTED',
      message: 'Autotask refused: The assigned user is inactive.',
    });
  });

  test('what Autotask accepts without naming it may have happened', async () => {
    failing(to('POST', '/Tickets'), { answer: { status: 200, body: {} } });
    expect(await autotask.fails('create_ticket', { companyID: 12_345, title: 'a' })).toMatchObject({
      code: 'BAD_REPLY',
      executed: 'unknown',
    });
  });

  test('many tickets at once: one that fails does not stop the others', async () => {
    const tickets = [
      { id: 9_999, status: 'Complete' },
      { id: 4_711, status: 'Complete' },
      { id: 10_000, status: 'New' },
    ];
    expect(await autotask.call('update_tickets', { tickets })).toMatchObject({
      updated: 2,
      failed: 1,
      items: [
        { id: 9_999, updated: true },
        { id: 4_711, updated: false, code: 'REJECTED' },
        { id: 10_000, updated: true },
      ],
    });
    expect(autotask.progress).toEqual([1, 2, 3]);
  });
});
