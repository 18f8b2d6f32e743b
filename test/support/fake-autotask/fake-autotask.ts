import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type FakeAccount } from './accounts.ts';
import {
  count,
  create,
  type FakeAnswer,
  fieldInformation,
  ok,
  query,
  type QueryBody,
  refused,
  update,
} from './database.ts';
import { type FakeRecord } from './filter.ts';
import { collections } from './vendor-fields.ts';

/** One request as it came. */
export interface SeenRequest {
  readonly host: 'zone' | 'api';
  readonly method: string;
  /** Below `/ATServicesRest/V1.0`, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** What goes wrong, how often, for which requests. */
export interface Fault {
  readonly match: (request: SeenRequest) => boolean;
  readonly times: number;
  readonly action: {
    readonly answer?: FakeAnswer | TextAnswer;
    /** The connection ends: before the work is done, after it, or in the middle of the answer. */
    readonly cut?: 'before' | 'after' | 'middle';
    /** Nothing is answered. */
    readonly stall?: true;
  };
}

/** What something in front of the API answers. */
export interface TextAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface FakeAutotask {
  /** For AUTOTASK_ZONE_URL. */
  readonly zoneUrl: string;
  /** For AUTOTASK_API_URL. */
  readonly apiUrl: string;
  readonly accounts: FakeAccount[];
  readonly requests: SeenRequest[];
  /** What no client of this API may send; a test that finds one fails. */
  readonly violations: string[];
  readonly faults: Fault[];
  /** The most requests at once, by integration code and endpoint. */
  readonly mostAtOnce: Map<string, number>;
  /** How Autotask behaves where nobody has written it down. */
  readonly variant: {
    missing: 'null' | '404';
    nextPage: 'POST' | 'GET';
    wrongCredentials: '401' | '500';
    /** Milliseconds each answer takes, so that requests meet. */
    latencyMs: number;
    /** Where next-page links lead, if not here. */
    nextPageOrigin: string | undefined;
    /** What the zone lookup says, if not the truth. */
    zoneSays: string | undefined;
    /** Requests in this hour before the limit is reached. */
    hourlyLimit: number;
  };
  close(): Promise<void>;
}

const allowedHeaders = new Set([
  ...['host', 'connection', 'accept', 'accept-language', 'accept-encoding', 'sec-fetch-mode', 'user-agent'],
  ...[
    'content-type',
    'content-length',
    'username',
    'secret',
    'apiintegrationcode',
    'impersonationresourceid',
  ],
]);
const credentialHeaders = ['username', 'secret', 'apiintegrationcode'];
const base = '/ATServicesRest/V1.0';

/** Autotask's REST API as its documentation, its Swagger document and those who measured it describe it. Strict. */
export async function startFakeAutotask(...accounts: readonly FakeAccount[]): Promise<FakeAutotask> {
  const state: State = {
    accounts: [...accounts],
    requests: [],
    violations: [],
    faults: [],
    mostAtOnce: new Map(),
    running: new Map(),
    variant: {
      missing: 'null',
      nextPage: 'POST',
      wrongCredentials: '401',
      latencyMs: 0,
      nextPageOrigin: undefined,
      zoneSays: undefined,
      hourlyLimit: 10_000,
    },
    origin: '',
  };
  const api = createServer((request, response) => void receive(state, 'api', request, response));
  const zone = createServer((request, response) => void receive(state, 'zone', request, response));
  await Promise.all([listen(api), listen(zone)]);
  state.origin = originOf(api);
  return {
    ...state,
    zoneUrl: `${originOf(zone)}/atservicesrest/v1.0/zoneInformation`,
    apiUrl: `${state.origin}/ATServicesRest/`,
    close: async () => {
      await Promise.all([api, zone].map(stop));
    },
  };
}

interface State extends Omit<FakeAutotask, 'zoneUrl' | 'apiUrl' | 'close'> {
  readonly running: Map<string, number>;
  origin: string;
}

const listen = (server: Server): Promise<void> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const originOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const stop = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

async function receive(
  state: State,
  host: SeenRequest['host'],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const seen = await seenOf(state, host, request);
  state.requests.push(seen);
  const at = state.faults.findIndex(({ match, times }) => times > 0 && match(seen));
  const fault = state.faults[at];
  if (fault) state.faults[at] = { ...fault, times: fault.times - 1 };
  const { stall, cut, answer } = { ...fault?.action };
  if (stall) return;
  if (cut === 'before') {
    request.socket.destroy();
    return;
  }
  const done = enter(state, seen);
  if (state.variant.latencyMs > 0)
    await new Promise((resolve) => setTimeout(resolve, state.variant.latencyMs));
  const given = answer ?? carefully(state, seen);
  done();
  send(response, given, cut);
}

function send(response: ServerResponse, answer: FakeAnswer | TextAnswer, cut: string | undefined): void {
  const text = 'text' in answer ? answer.text : JSON.stringify(answer.body ?? '').replace(/^""$/, '');
  if (cut === 'after') {
    response.socket?.destroy();
    return;
  }
  response.writeHead(answer.status, { 'content-type': 'application/json; charset=utf-8', ...answer.headers });
  if (cut === 'middle') {
    response.write(text.slice(0, text.length / 2), () => response.socket?.destroy());
    return;
  }
  response.end(text);
}

/** Counts who is in at once; the returned function says goodbye. */
function enter({ running, mostAtOnce }: State, { host, headers, path }: SeenRequest): () => void {
  const key = `${headers['apiintegrationcode'] ?? host} ${path.split(/[/?]/)[1] ?? ''}`;
  const now = (running.get(key) ?? 0) + 1;
  running.set(key, now);
  mostAtOnce.set(key, Math.max(mostAtOnce.get(key) ?? 0, now));
  return () => running.set(key, running.get(key)! - 1);
}

async function seenOf(
  state: State,
  host: SeenRequest['host'],
  request: IncomingMessage,
): Promise<SeenRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  const { method = '', url = '' } = request;
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  );
  const forbidden = Object.keys(headers).filter(
    (name) => !allowedHeaders.has(name) || (host === 'zone' && credentialHeaders.includes(name)),
  );
  const isOutside = host === 'api' && !url.startsWith(`${base}/`);
  const complaints = [
    ...forbidden.map((name) => `header ${name} to the ${host} host`),
    ...(isOutside ? ['not below the API'] : []),
    ...(text === '' ? [] : complaintsAboutBody(method, headers)),
  ];
  state.violations.push(...complaints.map((each) => `${method} ${url}: ${each}`));
  const body = text === '' ? undefined : (JSON.parse(text) as unknown);
  return { host, method, path: url.replace(base, ''), headers, body };
}

function complaintsAboutBody(method: string, headers: Readonly<Record<string, string>>): string[] {
  if (method === 'GET') return ['a GET with a body'];
  return headers['content-type'] === 'application/json' ? [] : ['a body that is not called JSON'];
}

/** A mistake of the fake's own fails the test, rather than leaving its caller without an answer. */
function carefully(state: State, seen: SeenRequest): FakeAnswer {
  try {
    return answerTo(state, seen);
  } catch (thrown) {
    state.violations.push(`${seen.method} ${seen.path}: the fake broke: ${String(thrown)}`);
    return { status: 599, body: undefined };
  }
}

function answerTo(state: State, seen: SeenRequest): FakeAnswer {
  if (seen.host === 'zone') return zoneAnswer(state, seen);
  const { headers } = seen;
  const account = state.accounts.find(
    ({ username, secret, integrationCode }) =>
      headers['username'] === username &&
      headers['secret'] === secret &&
      headers['apiintegrationcode'] === integrationCode,
  );
  if (!account) {
    return state.variant.wrongCredentials === '500'
      ? refused('IntegrationCode is invalid')
      : { status: 401, body: undefined, headers: { 'www-authenticate': 'Basic Realm="webservices"' } };
  }
  const asked = state.requests.filter(({ host }) => host === 'api').length;
  if (asked > state.variant.hourlyLimit)
    return refused('The request threshold of 10000 requests has been exceeded.');
  return route(state, account, seen);
}

function zoneAnswer(state: State, { method, path }: SeenRequest): FakeAnswer {
  const url = new URL(path, 'http://zone');
  if (method !== 'GET' || url.pathname !== '/atservicesrest/v1.0/zoneInformation')
    state.violations.push(`${method} ${path}: the zone host has no such path`);
  const user = url.searchParams.get('user');
  if (!state.accounts.some(({ username }) => username === user))
    return refused('Zone information could not be determined');
  const there = state.variant.zoneSays ?? `${state.origin}/ATServicesRest/`;
  return ok({ zoneName: 'Fake', url: there, webUrl: 'https://ww0.autotask.net/', ci: 1 });
}

type Route = (state: State, account: FakeAccount, seen: SeenRequest, words: readonly string[]) => FakeAnswer;

const children: Readonly<Record<string, string>> = {
  'Tickets Notes': 'TicketNotes',
  'Tickets Attachments': 'TicketAttachments',
  'Companies Contacts': 'Contacts',
  'Projects Tasks': 'Tasks',
};

/** By method and shape of the path, `*` for an id, `@` for a collection. */
const routes: Readonly<Record<string, Route>> = {
  'GET Version': () => ok({ apiVersions: ['1.0'] }),
  'GET ThresholdInformation': ({ requests }) =>
    ok({
      externalRequestThreshold: 10_000,
      requestThresholdTimeframe: 60,
      currentTimeframeRequestCount: requests.length,
    }),
  'GET @/*': ({ variant }, { records }, _seen, [entity = '', id]) => {
    const found = records[entity]?.find((record) => String(record['id']) === id);
    if (found) return ok({ item: found });
    return variant.missing === '404' ? { status: 404, body: undefined } : ok({ item: null });
  },
  'GET @/entityInformation/fields': (_state, account, _seen, [entity = '']) =>
    fieldInformation(account, entity),
  'POST @/query': (state, account, seen, [entity = '']) => pageOf(state, account, seen, entity),
  'POST @/query/next': (state, account, seen, [entity = '']) =>
    state.variant.nextPage === 'POST'
      ? pageOf(state, account, seen, entity)
      : { status: 405, body: undefined },
  'GET @/query/next': (state, account, seen, [entity = '']) =>
    state.variant.nextPage === 'GET'
      ? pageOf(state, account, seen, entity)
      : { status: 405, body: undefined },
  'POST @/query/count': (_state, account, { body }, [entity = '']) =>
    count(account, entity, body as QueryBody),
  'POST @': (_state, account, { body }, [entity = '']) => create(account, entity, body as FakeRecord),
  'PATCH @': (_state, account, { body }, [entity = '']) => update(account, entity, body as FakeRecord),
  'POST @/*/@': (_state, account, { body }, [, , child = '']) => create(account, child, body as FakeRecord),
  'PATCH @/*/@': (_state, account, { body }, [, , child = '']) => update(account, child, body as FakeRecord),
  'GET @/*/@/*': (_state, { records }, _seen, [, , child = '', id]) =>
    ok({ items: (records[child] ?? []).filter((record) => String(record['id']) === id) }),
};

function route(state: State, account: FakeAccount, seen: SeenRequest): FakeAnswer {
  const { method, path } = seen;
  const words = (path.split('?')[0] ?? '').split('/').slice(1);
  const [first = '', , third = ''] = words;
  const child = children[`${first} ${third}`];
  const shape = words.map((word, index) => shapeOf(word, index, child)).join('/');
  const found = routes[`${method} ${shape}`];
  if (found && mayWrite(method, shape, child ?? first)) {
    checkBody(state, seen, shape);
    return found(
      state,
      account,
      seen,
      child === undefined ? words : [first, words[1] ?? '', child, words[3] ?? ''],
    );
  }
  state.violations.push(`${method} ${path}: the API has no such path`);
  return { status: 404, body: undefined };
}

function shapeOf(word: string, index: number, child: string | undefined): string {
  if (/^\d+$/.test(word)) return '*';
  if (index === 0 && word in collections) return '@';
  return index === 2 && child !== undefined ? '@' : word;
}

function mayWrite(method: string, shape: string, entity: string): boolean {
  if (shape.includes('query') || method === 'GET') return true;
  const { canCreate, canUpdate, parent } = collections[entity]!;
  // Children are written below their parents, all others are not.
  const isBelow = shape === '@/*/@';
  return (method === 'POST' ? canCreate : canUpdate) && (parent !== undefined) === isBelow;
}

function checkBody({ violations }: State, { method, path, body }: SeenRequest, shape: string): void {
  const keys = typeof body === 'object' && body !== null ? Object.keys(body) : [];
  const known =
    shape.endsWith('count') || shape.endsWith('next')
      ? ['filter']
      : ['filter', 'MaxRecords', 'IncludeFields'];
  if (shape.includes('query') && keys.some((key) => !known.includes(key)))
    violations.push(`${method} ${path}: a query has no ${keys.join()}`);
  if (method === 'PATCH' && !keys.includes('id')) violations.push(`${method} ${path}: no id in the body`);
}

interface Paging {
  readonly page: number;
  readonly size: number;
  /** Of the first request. */
  readonly body: QueryBody;
}

/** Links to further pages hold what is left to say; the filter must come again with a POST. */
function pageOf(state: State, account: FakeAccount, seen: SeenRequest, entity: string): FakeAnswer {
  const { page, size, body } = pagingOf(seen);
  const again = seen.body as QueryBody | undefined;
  if (again !== undefined && JSON.stringify(again.filter) !== JSON.stringify(body.filter))
    state.violations.push(`POST ${seen.path}: a next page was asked for with another filter`);
  const origin = state.variant.nextPageOrigin ?? state.origin;
  const linkTo = (to: number): string => {
    const paging: Paging = { page: to, size, body };
    return `${origin}${base}/${entity}/query/next?paging=${encodeURIComponent(JSON.stringify(paging))}`;
  };
  return query(account, entity, body, { page, size, linkTo });
}

function pagingOf({ path, body }: SeenRequest): Paging {
  const stored = new URL(path, 'http://x').searchParams.get('paging');
  if (stored !== null) return JSON.parse(stored) as Paging;
  const { MaxRecords = 500 } = (body ?? {}) as QueryBody;
  return { page: 0, size: Number(MaxRecords), body: body ?? {} };
}
