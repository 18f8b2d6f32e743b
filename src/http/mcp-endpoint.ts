import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProxyError } from '../calls/error.ts';
import type { Admitted, Gateway } from '../gateway/gateway.ts';
import { MalformedMessage, type Message, readMessage, splitBatch, textOf } from '../mcp/message.ts';
import { isHeaderVersion } from '../mcp/versions.ts';
import type { Session } from '../sessions/session.ts';
import { errorBody, sendError } from './error-reply.ts';
import { openEventStream } from './event-stream.ts';
import { createPostReply, type PostReply } from './post-reply.ts';
import { readBody, tooLarge } from './read-body.ts';

export interface McpEndpointParts {
  readonly gateway: Gateway;
  /** The largest body, in bytes. */
  readonly maxBody: number;
  /** The deepest nesting of a message. */
  readonly maxDepth: number;
  /** Refuses everything new while the proxy drains. */
  readonly isDraining: () => boolean;
  /** A stranger was turned away. */
  readonly refused: (remote: string) => void;
}

/** How often silent connections are given a sign of life, in milliseconds. */
const awakeEvery = 15_000;

export interface McpEndpoint {
  handle(request: IncomingMessage, response: ServerResponse, server: string | undefined): void;
  /** Close what is open without end: streams of sessions. */
  closeStreams(): void;
}

/** Streamable HTTP of 2025-03-26, 2025-06-18 and 2025-11-25: POST, GET and DELETE on one path. */
export function createMcpEndpoint(parts: McpEndpointParts): McpEndpoint {
  const { gateway, maxBody, maxDepth } = parts;
  const waiting = new Set<PostReply>();
  const streams = new Set<{ comment(): void; close(): void }>();
  setInterval(() => {
    for (const reply of waiting) reply.stayAwake();
    for (const stream of streams) stream.comment();
  }, awakeEvery).unref();

  async function post(request: IncomingMessage, response: ServerResponse, caller: Admitted): Promise<void> {
    checkPostHeaders(request, maxBody);
    const body = await readBody(request, maxBody);
    const batch = splitBatch(body, 100, maxDepth);
    const messages = (batch ?? [body]).map((bytes) => readMessage(bytes, maxDepth));
    if (batch) checkBatch(request, messages);
    const requests = messages.filter(({ kind }) => kind === 'request');
    for (const message of messages) {
      if (message.kind !== 'request') gateway.accept(caller, requireSessionId(request), message);
    }
    const [only] = requests;
    if (!only) accepted(response);
    else if (batch) await answerAll(request, response, caller, requests);
    else await answer(request, response, caller, only);
  }

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    caller: Admitted,
    message: Message,
  ): Promise<void> {
    let opened: Session | undefined;
    const reply = createPostReply(response, () => (opened ? { 'mcp-session-id': opened.id } : {}));
    waiting.add(reply);
    try {
      const answer = await gateway.request(caller, {
        sessionId: sessionIdOf(request),
        message,
        tell: reply.tell,
      });
      opened = answer.opened;
      reply.finish([answer.reply.parts], false);
    } catch (thrown) {
      const error = ProxyError.from(thrown);
      const id = idTextOf(message);
      if (error.code === 'CANCELLED') reply.abandon();
      else if (response.headersSent) reply.finish([[errorBody(error, id)]], false);
      else sendError(response, error, id);
    } finally {
      waiting.delete(reply);
    }
  }

  async function answerAll(
    request: IncomingMessage,
    response: ServerResponse,
    caller: Admitted,
    messages: readonly Message[],
  ): Promise<void> {
    const reply = createPostReply(response, () => ({}));
    const sessionId = requireSessionId(request);
    waiting.add(reply);
    const answers = await Promise.all(
      messages.map(async (message) => {
        try {
          return (await gateway.request(caller, { sessionId, message, tell: reply.tell })).reply.parts;
        } catch (thrown) {
          return [errorBody(ProxyError.from(thrown), idTextOf(message))];
        }
      }),
    );
    waiting.delete(reply);
    reply.finish(answers, true);
  }

  function get(request: IncomingMessage, response: ServerResponse, caller: Admitted): void {
    if (!accepts(request, 'text/event-stream'))
      throw new ProxyError('NOT_ACCEPTABLE', 'GET needs Accept: text/event-stream');
    const sessionId = requireSessionId(request);
    gateway.session(caller, sessionId);
    const stream = openEventStream(response);
    streams.add(stream);
    const unlisten = gateway.listen(caller, sessionId, stream);
    response.once('close', () => {
      streams.delete(stream);
      unlisten();
    });
  }

  function remove(request: IncomingMessage, response: ServerResponse, caller: Admitted): void {
    gateway.end(caller, requireSessionId(request));
    response.writeHead(200, { 'content-length': 0 }).end();
  }

  async function route(
    request: IncomingMessage,
    response: ServerResponse,
    server: string | undefined,
  ): Promise<void> {
    const { method } = request;
    if (method !== 'POST' && method !== 'GET' && method !== 'DELETE') {
      throw new ProxyError('METHOD_NOT_ALLOWED', 'Use POST, GET or DELETE');
    }
    if (parts.isDraining())
      throw new ProxyError('DRAINING', 'The proxy is about to stop; ask again shortly', {
        retryAfterMs: 1000,
      });
    checkVersion(request);
    const { authorization } = request.headers;
    const credentials = { authorization, apiKey: header(request, 'x-api-key') };
    const caller = gateway.admit(credentials, server, header(request, 'x-tenant-id'));
    if (method === 'POST') await post(request, response, caller);
    else if (method === 'GET') get(request, response, caller);
    else remove(request, response, caller);
  }

  return {
    handle(request, response, server) {
      route(request, response, server).catch((thrown: unknown) => {
        const error =
          thrown instanceof MalformedMessage
            ? new ProxyError(thrown.code, thrown.message)
            : ProxyError.from(thrown);
        if (error.code === 'UNAUTHENTICATED') parts.refused(request.socket.remoteAddress ?? '');
        refuse(request, response, error);
      });
    },
    closeStreams() {
      for (const stream of streams) stream.close();
    },
  };
}

/** What is left of a refused body is not read: a small one is let run out, a large one ends the connection. */
function refuse(request: IncomingMessage, response: ServerResponse, error: ProxyError): void {
  const extra: Record<string, string> =
    error.code === 'METHOD_NOT_ALLOWED' ? { allow: 'POST, GET, DELETE' } : {};
  if (!request.complete) extra['connection'] = 'close';
  sendError(response, error, 'null', extra);
  if (!request.complete) request.resume();
}

function accepted(response: ServerResponse): void {
  response.writeHead(202, { 'content-length': 0 }).end();
}

function checkPostHeaders(request: IncomingMessage, maxBody: number): void {
  const { headers } = request;
  const type = headers['content-type'] ?? '';
  if (type !== 'application/json' && !/^application\/json\s*(;|$)/i.test(type)) {
    throw new ProxyError('UNSUPPORTED_MEDIA_TYPE', 'POST needs Content-Type: application/json');
  }
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new ProxyError('UNSUPPORTED_MEDIA_TYPE', 'Send the body without Content-Encoding');
  }
  if (!accepts(request, 'application/json') || !accepts(request, 'text/event-stream')) {
    throw new ProxyError('NOT_ACCEPTABLE', 'POST needs Accept: application/json, text/event-stream');
  }
  if (Number(headers['content-length'] ?? 0) > maxBody) throw tooLarge(maxBody);
}

function accepts({ headers }: IncomingMessage, type: string): boolean {
  const accept = headers.accept ?? '';
  return accept.includes(type) || accept.includes('*/*') || accept.includes(`${type.split('/')[0] ?? ''}/*`);
}

/** Batches were in 2025-03-26 only; a client that does not name its revision speaks that one. */
function checkBatch(request: IncomingMessage, messages: readonly Message[]): void {
  const version = header(request, 'mcp-protocol-version') ?? '2025-03-26';
  if (version !== '2025-03-26') throw new ProxyError('INVALID_REQUEST', `Protocol ${version} has no batches`);
  if (messages.some(({ method }) => method === 'initialize')) {
    throw new ProxyError('INVALID_REQUEST', 'initialize must not be in a batch');
  }
}

function checkVersion(request: IncomingMessage): void {
  const version = header(request, 'mcp-protocol-version');
  if (version !== undefined && !isHeaderVersion(version)) {
    throw new ProxyError('INVALID_REQUEST', 'MCP-Protocol-Version is none that is spoken here');
  }
}

function header({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

const sessionIdOf = (request: IncomingMessage) => header(request, 'mcp-session-id');

function requireSessionId(request: IncomingMessage): string {
  const id = sessionIdOf(request);
  if (id === undefined) throw new ProxyError('INVALID_REQUEST', 'Send Mcp-Session-Id, or initialize first');
  return id;
}

const idTextOf = ({ bytes, id }: Message) => (id ? textOf(bytes, id) : 'null');
