import type { IncomingMessage, ServerResponse } from 'node:http';
import { originSet } from './origin.ts';

/** What a page may send, beside the headers that mirror a tool's parameters. */
const allowedHeaders = [
  ...['authorization', 'x-api-key', 'x-tenant-id', 'content-type', 'accept', 'last-event-id'],
  ...['mcp-session-id', 'mcp-protocol-version', 'mcp-method', 'mcp-name'],
];
const mirroredHeader = /^mcp-param-[\w!#$%&'*+.^`|~-]+$/i;
/** What a page may read of an answer, beside its body. */
const exposedHeaders = 'Mcp-Session-Id, WWW-Authenticate, Retry-After';
/** For how long a browser need not ask again, in seconds; none remembers it for longer. */
const maxAge = '7200';

export interface Cors {
  /** To be called before the answer: lets an allowed page read it, whatever it is. */
  allow(request: IncomingMessage, response: ServerResponse): void;
  /** Answers an allowed page's browser that asks what the page may send. False if that is not what is asked. */
  preflight(request: IncomingMessage, response: ServerResponse): boolean;
}

/**
 * A browser lets a page of another site call and read the answers only if they say so (Fetch, "CORS protocol"). They
 * do to the pages of `listen.allowedOrigins`, each by its own name, and to no others.
 */
export function createCors(allowedOrigins: readonly string[]): Cors {
  const origins = originSet(allowedOrigins);
  const allowedOrigin = ({ headers: { origin } }: IncomingMessage) =>
    origin !== undefined && origins.has(origin.toLowerCase()) ? origin : undefined;
  return {
    allow(request, response) {
      const origin = allowedOrigin(request);
      if (origin === undefined) return;
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('access-control-expose-headers', exposedHeaders);
      response.setHeader('vary', 'Origin');
    },
    preflight(request, response) {
      if (request.method !== 'OPTIONS' || allowedOrigin(request) === undefined) return false;
      if (request.headers['access-control-request-method'] === undefined) return false;
      response.writeHead(204, {
        'access-control-allow-methods': 'POST, GET, DELETE',
        'access-control-allow-headers': [...allowedHeaders, ...mirroredIn(request)].join(', '),
        'access-control-max-age': maxAge,
      });
      response.end();
      return true;
    },
  };
}

/** Which they are depends on the tool, so what is asked for is granted. */
function mirroredIn({ headers }: IncomingMessage): string[] {
  const asked = headers['access-control-request-headers'] ?? '';
  return asked
    .split(',')
    .map((name) => name.trim())
    .filter((name) => mirroredHeader.test(name));
}
