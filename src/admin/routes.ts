import { type IncomingMessage, type ServerResponse } from 'node:http';
import { errorCodes, ProxyError } from '../calls/error.ts';
import { type TenantChange } from '../tenants/tenant.ts';
import { type Actions, type AdminError, type ReloadReport, type WorkerReport } from './actions.ts';

type Answer = (actions: Actions, tenantId: string | undefined) => Promise<unknown>;

interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: RegExp;
  readonly answer: Answer;
}

const routes: readonly Route[] = [
  { method: 'GET', path: /^\/v1\/status$/, answer: (actions) => actions.status() },
  { method: 'POST', path: /^\/v1\/reload$/, answer: async (actions) => reportOf(await actions.reload()) },
  {
    method: 'POST',
    path: /^\/v1\/tenants\/([^/]+)\/restart$/,
    answer: async (actions, id = '') => workers(await actions.restart(id)),
  },
  {
    method: 'POST',
    path: /^\/v1\/reap(?:\/([^/]+))?$/,
    answer: async (actions, id) => workers(await actions.reap(id)),
  },
];

/** Who may open the socket may ask for anything: the file's mode is the lock, so nothing here asks for a key. */
export function createRoutes(actions: Actions) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    // No question has a body; what is sent anyway must not sit in memory.
    request.resume();
    answer(actions, request).then(
      (value) => {
        reply(response, 200, value);
      },
      (thrown: unknown) => {
        const { code, message } = ProxyError.from(thrown);
        reply(response, errorCodes[code].http, { code, message } satisfies AdminError);
      },
    );
  };
}

async function answer(actions: Actions, request: IncomingMessage): Promise<unknown> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const here = routes.filter((route) => route.path.test(path));
  if (here.length === 0) throw new ProxyError('NOT_FOUND', `No such path: ${path.slice(0, 200)}`);
  const route = here.find(({ method }) => method === request.method);
  if (route === undefined) {
    const methods = here.map(({ method }) => method).join(', ');
    throw new ProxyError('METHOD_NOT_ALLOWED', `This path is asked with ${methods}`);
  }
  return route.answer(actions, decoded(route.path.exec(path)?.[1]));
}

function decoded(part: string | undefined): string | undefined {
  if (part === undefined) return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ProxyError('INVALID_TENANT', 'The tenant in the path is not well encoded');
  }
}

function reportOf(change: TenantChange): ReloadReport {
  return {
    added: change.added.map(({ id }) => id),
    changed: change.changed.map(({ after }) => after.id),
    removed: change.removed.map(({ id }) => id),
  };
}

const workers = (count: number): WorkerReport => ({ workers: count });

function reply(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(body);
}
