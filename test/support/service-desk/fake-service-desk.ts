import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { createAccounts, type SelfClient, type TokenReply } from './accounts.ts';
import { answer, type FakePortal, type PortalSettings, refused, type Reply, type Row } from './portal.ts';

/** A request as it came. */
export interface Logged {
  readonly server: 'accounts' | 'api';
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `input_data`, read. */
  readonly input: Row;
  readonly form: Readonly<Record<string, string>>;
  /** Whose token came; the portal that was asked. */
  readonly owner: string | undefined;
  readonly portal: string | undefined;
}

export interface Fault {
  readonly match: (request: Logged) => boolean;
  /** How often; once unless said otherwise. */
  times?: number;
  readonly action: (
    response: ServerResponse,
    request: Logged,
  ) => Reply | 'go on' | 'done' | Promise<Reply | 'go on' | 'done'>;
}

export interface FakeServiceDesk {
  readonly accountsUrl: string;
  readonly baseUrl: string;
  readonly requests: Logged[];
  /** What no client may ever send; a test with any in it has failed. */
  readonly mistakes: string[];
  readonly faults: Fault[];
  readonly clock: { now: number };
  readonly accounts: ReturnType<typeof createAccounts>;
  /** The environment of a server for this tenant, in the form of the first founding document. */
  addTenant(portal: string, options?: TenantOptions): FakeTenant;
  close(): Promise<void>;
}

export interface TenantOptions {
  readonly scopes?: readonly string[];
  readonly settings?: Partial<PortalSettings>;
  /** Another tenant's self-client: a second process with the same credentials. */
  readonly client?: SelfClient;
}

export interface FakeTenant {
  readonly client: SelfClient;
  readonly portal: FakePortal;
  readonly env: Readonly<Record<string, string>>;
  add(table: string, ...rows: Row[]): void;
}

/** What a form of the accounts server has in it, and nothing else. */
const formOf: Readonly<Record<string, string>> = {
  refresh_token: 'client_id,client_secret,grant_type,refresh_token',
  authorization_code: 'client_id,client_secret,code,grant_type',
};

export const everyScope = [
  'requests',
  'problems',
  'changes',
  'projects',
  'assets',
  'cmdb',
  'solutions',
  'setup',
  'users',
].map((module) => `SDPOnDemand.${module}.ALL`);

const acceptHeader = 'application/vnd.manageengine.sdp.v3+json';
/** What Node's fetch adds by itself. */
const usualHeaders = [
  'host',
  'connection',
  'accept',
  'accept-encoding',
  'accept-language',
  'user-agent',
  'sec-fetch-mode',
  'content-length',
];
const loginPage = '<!DOCTYPE html><html><head><title>Sign in</title></head></html>';

interface Settings {
  readonly saysScope?: boolean;
  readonly throttleStatus?: 200 | 400;
}

export async function startServiceDesk({
  saysScope = false,
  throttleStatus = 400,
}: Settings = {}): Promise<FakeServiceDesk> {
  const clock = { now: Date.now() };
  const accounts = createAccounts(() => clock.now, { saysScope, throttleStatus });
  const portals = new Map<string, FakePortal>();
  const requests: Logged[] = [];
  const mistakes: string[] = [];
  const faults: Fault[] = [];
  let count = 0;

  async function handle(
    server: Logged['server'],
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const logged = await read(server, request);
    requests.push(logged);
    const fault = faults.find(({ match }) => match(logged));
    if (fault && (fault.times = (fault.times ?? 1) - 1) <= 0) faults.splice(faults.indexOf(fault), 1);
    const scripted = fault ? await fault.action(response, logged) : 'go on';
    if (scripted === 'done') return;
    const reply = scripted === 'go on' ? (server === 'accounts' ? token(logged) : api(logged)) : scripted;
    if (typeof reply.body === 'string')
      response.writeHead(reply.status, { 'content-type': 'text/html' }).end(reply.body);
    else
      response
        .writeHead(reply.status, { 'content-type': 'application/json' })
        .end(JSON.stringify(reply.body));
  }

  async function read(server: Logged['server'], request: IncomingMessage): Promise<Logged> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method = '', url: target = '/' } = request;
    const url = new URL(target, 'http://fake');
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const body = Buffer.concat(chunks).toString('utf8');
    const form = Object.fromEntries(new URLSearchParams(method === 'GET' ? url.search : body));
    if (method !== 'GET' && url.search !== '') mistakes.push(`query on ${method} ${url.pathname}`);
    const [, portal] = /^\/app\/([^/]+)\//.exec(url.pathname) ?? [];
    const owner = accounts.find(tokenIn(headers))?.client.portal;
    return {
      server,
      method,
      path: url.pathname,
      headers,
      form,
      input: readInput(form['input_data']),
      portal,
      owner,
    };
  }

  function readInput(text: string | undefined): Row {
    if (text === undefined) return {};
    try {
      return JSON.parse(text) as Row;
    } catch {
      mistakes.push('input_data is no JSON');
      return {};
    }
  }

  function wrong(mistake: string): Reply {
    mistakes.push(mistake);
    return { status: 500, body: `<html>${mistake}</html>` };
  }

  function token({ method, path, headers, form }: Logged): TokenReply | Reply {
    if (method !== 'POST' || path !== '/oauth/v2/token') return wrong(`accounts: ${method} ${path}`);
    const odd = Object.keys(headers).filter((name) => ![...usualHeaders, 'content-type'].includes(name));
    if (odd.length > 0) return wrong(`accounts: header ${odd.join(', ')}`);
    if (headers['content-type'] !== 'application/x-www-form-urlencoded') {
      mistakes.push(`accounts: ${headers['content-type'] ?? 'no content type'}`);
      return { status: 200, body: { error: 'invalid_client' } };
    }
    const keys = Object.keys(form).toSorted().join();
    const wanted = formOf[form['grant_type'] ?? ''];
    if (wanted === undefined) return { status: 200, body: { error: 'unsupported_grant_type' } };
    if (keys !== wanted) return wrong(`accounts: form of ${keys}`);
    return accounts.grant(new URLSearchParams(form));
  }

  function api(logged: Logged): Reply {
    const { method, path, headers, input, owner = '' } = logged;
    if (headers['accept'] !== acceptHeader) return { status: 200, body: loginPage };
    const problem = headerProblem(logged) ?? formProblem(logged);
    if (problem !== undefined) return wrong(problem);
    const { portalName, segments } = placeOf(path, owner);
    const portal = portals.get(portalName);
    // Somebody else's token is like none.
    if (portal?.name !== owner) return refused(401, 4022, { message: 'Invalid oauth token' });
    if (!mayDo(accounts.scopesOf(tokenIn(headers)), method, segments)) return scopeMismatch;
    const reply = answer(portal, { method, path: segments, input });
    return 'mistake' in reply ? wrong(`api: ${reply.mistake}`) : reply;
  }

  const servers = await Promise.all(
    (['accounts', 'api'] as const).map((name) =>
      listen((request, response) => void handle(name, request, response)),
    ),
  );
  const [accountsUrl = '', baseUrl = ''] = servers.map(
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  );

  return {
    accountsUrl,
    baseUrl,
    requests,
    mistakes,
    faults,
    clock,
    accounts,
    addTenant(name, { scopes = everyScope, settings = {}, client: given } = {}) {
      count += 1;
      const client = given ?? {
        clientId: `1000.CLIENT${count}${name.toUpperCase()}`,
        clientSecret: `client-secret-of-${name}-${count}`,
        refreshToken: `1000.refresh-token-of-${name}-${count}`,
        scopes,
        portal: name,
      };
      if (!given) accounts.addClient(client);
      const portal: FakePortal = {
        name,
        tables: new Map(),
        settings: { approveAction: 'approve', unknownAddress: 'json', people: 'technicians', ...settings },
      };
      portals.set(name, portal);
      const { clientId, clientSecret, refreshToken } = client;
      const env = {
        SDP_CLIENT_ID: clientId,
        SDP_CLIENT_SECRET: clientSecret,
        SDP_REFRESH_TOKEN: refreshToken,
        SDP_BASE_URL: baseUrl,
        SDP_INSTANCE_NAME: name,
        SDP_ACCOUNTS_URL: accountsUrl,
      };
      const add = (table: string, ...rows: Row[]) => {
        portal.tables.set(table, [...(portal.tables.get(table) ?? []), ...rows]);
      };
      return { client, portal, env, add };
    },
    async close() {
      await Promise.all(servers.map(end));
    },
  };
}

function placeOf(path: string, owner: string) {
  const [, portalName = owner, rest = ''] = /^(?:\/app\/([^/]+))?\/api\/v3\/(.+)$/.exec(path) ?? [];
  return { portalName, segments: rest.split('/').map(decodeURIComponent) };
}

const tokenIn = (headers: Logged['headers']): string =>
  /^Zoho-oauthtoken (.+)$/.exec(headers['authorization'] ?? '')?.[1] ?? '';

const scopeMismatch: Reply = {
  status: 401,
  body: {
    code: 'OAUTH_SCOPE_MISMATCH',
    details: {},
    message: 'invalid oauth scope to access this URL',
    status: 'error',
  },
};

function headerProblem({ method, headers }: Logged): string | undefined {
  const { authorization = '', 'content-type': contentType } = headers;
  if (!authorization.startsWith('Zoho-oauthtoken '))
    return `api: authorization ${authorization.split(' ')[0]}`;
  const isForm = method === 'POST' || method === 'PUT';
  if (contentType !== (isForm ? 'application/x-www-form-urlencoded' : undefined))
    return `api: ${method} with content-type ${contentType}`;
  const allowed = [...usualHeaders, 'authorization', 'content-type'];
  const odd = Object.keys(headers).filter((name) => !allowed.includes(name));
  return odd.length > 0 ? `api: header ${odd.join(', ')}` : undefined;
}

/** The form of a write has `input_data` and nothing else; in the address of a GET it may be left out. */
function formProblem({ method, path, form }: Logged): string | undefined {
  const isBare = method === 'DELETE' || (method === 'GET' && form['input_data'] === undefined);
  const keys = Object.keys(form).join();
  return keys === (isBare ? '' : 'input_data') ? undefined : `api: ${method} ${path} with form ${keys}`;
}

const operations: Readonly<Record<string, string>> = {
  GET: 'READ',
  POST: 'CREATE',
  PUT: 'UPDATE',
  DELETE: 'DELETE',
};
const modules = ['requests', 'problems', 'changes', 'projects', 'assets', 'solutions', 'cmdb'];

function mayDo(scopes: readonly string[], method: string, [first = '', , third]: readonly string[]): boolean {
  const people = ['technicians', 'requesters', 'users'].includes(first);
  const module = modules.includes(first) ? first : people ? 'users' : 'setup';
  // What is below a record counts as a change of it.
  const operation = method === 'POST' && third !== undefined ? 'UPDATE' : operations[method];
  return (
    scopes.includes(`SDPOnDemand.${module}.ALL`) ||
    scopes.includes(`SDPOnDemand.${module}.${operation ?? ''}`)
  );
}

function listen(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = createServer(handle);
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function end(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
