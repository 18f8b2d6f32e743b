import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ProxyError } from '../calls/error.ts';
import { Connections } from './connections.ts';
import { createCors } from './cors.ts';
import { sendError } from './error-reply.ts';
import type { McpEndpoint } from './mcp-endpoint.ts';
import { sessionIdOf } from './mcp-headers.ts';
import { type AllowedNames, createOriginCheck } from './origin.ts';
import { checkHead, toOriginForm } from './request-head.ts';
import type { SseEndpoint } from './sse-endpoint.ts';

export interface ListenerParts extends AllowedNames {
  /** 0: any free port. */
  readonly port: number;
  readonly maxConnections: number;
  readonly endpoint: McpEndpoint;
  readonly sse: SseEndpoint;
  readonly isReady: () => boolean;
}

export interface Listener {
  /** e.g. `http://127.0.0.1:8080/mcp` */
  readonly url: string;
  /** Stop accepting; idle connections end, others may finish. */
  drain(): void;
  /** Let answers that are on their way go out, for `graceMs` at most; then cut whatever is still open. */
  close(graceMs: number): Promise<void>;
}

const endpointPath = /^\/(mcp|sse)(?:\/([A-Za-z0-9_-]{1,63}))?$/;
/** Where old clients are told to POST. */
const messagePath = '/message';
/** Streamable HTTP to clients that have a session, HTTP+SSE to those that only GET. */
const connectPath = '/mcp/connect';

const timeouts = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  // Node looks for slow clients only every 30 s unless told otherwise.
  connectionsCheckingInterval: 1000,
  // Longer than the 60 s of most load balancers, so that they, not we, end a connection.
  keepAliveTimeout: 65_000,
  maxHeaderSize: 16 * 1024,
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
  noDelay: true,
};

/** How long a connection may stand still, in milliseconds; open streams get a comment every 15 s. */
const stalledMs = 65_000;

/** The front door. @throws the system's error if the address cannot be had. */
export async function openListener(parts: ListenerParts): Promise<Listener> {
  const { endpoint, sse, isReady } = parts;
  const checkOrigin = createOriginCheck(parts);
  const cors = createCors(parts.allowedOrigins);

  function route(request: IncomingMessage, response: ServerResponse): void {
    cors.allow(request, response);
    checkHead(request, response);
    toOriginForm(request);
    const path = pathOf(request);
    if (path === '/healthz') say(response, 200, 'ok');
    else if (path === '/readyz') say(response, isReady() ? 200 : 503, isReady() ? 'ready' : 'not ready');
    else toEndpoint(request, response, path);
  }

  function toEndpoint(request: IncomingMessage, response: ServerResponse, path: string): void {
    const [, kind, server] = endpointPath.exec(path) ?? [];
    if (kind === undefined && path !== messagePath)
      throw new ProxyError('NOT_FOUND', 'Nothing here; MCP is at /mcp');
    checkOrigin(request);
    if (cors.preflight(request, response)) return;
    if (kind === undefined) sse.post(request, response);
    else if (kind === 'sse' || isOldConnect(request, path)) sse.open(request, response, server);
    else endpoint.handle(request, response, server);
  }

  const connections = new Connections();
  const server = createServer(
    timeouts,
    connections.oneAtATime((request, response) => {
      try {
        route(request, response);
      } catch (thrown) {
        request.resume();
        sendError(response, ProxyError.from(thrown), 'null');
      }
    }),
  );
  connections.cutStalled(server, stalledMs);
  // However many: `maxHeaderSize` bounds them. Beyond a number Node would drop the rest, an Origin among them, in silence.
  server.maxHeadersCount = 0;
  server.maxConnections = parts.maxConnections;
  await listening(server, parts.host, parts.port);
  return {
    url: urlOf(server, parts.host),
    drain() {
      server.close();
      server.closeIdleConnections();
    },
    close: (graceMs) => closeServer(server, graceMs),
  };
}

/** One slash at the end more or less is the same place: many servers have theirs at `/mcp/`. */
function pathOf({ url = '/' }: IncomingMessage): string {
  const [path = '/'] = url.split('?', 1);
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

const isOldConnect = (request: IncomingMessage, path: string) =>
  path === connectPath && request.method === 'GET' && sessionIdOf(request) === undefined;

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  // Between two requests connections are idle only for a moment, so they are looked for again and again.
  const closingIdle = setInterval(() => {
    server.closeIdleConnections();
  }, 10);
  const cutting = setTimeout(() => {
    server.closeAllConnections();
  }, graceMs);
  server.closeIdleConnections();
  await closed;
  clearInterval(closingIdle);
  clearTimeout(cutting);
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  const name = host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}/mcp`;
}

function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain', 'content-length': text.length }).end(text);
}
