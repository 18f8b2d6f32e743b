import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProxyError } from '../calls/error.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { createEnvelopeReader } from '../mcp/envelope.ts';
import { type Message, readMessage, splitBatch } from '../mcp/message.ts';
import { methods } from '../mcp/methods.ts';
import { idTextOf } from '../mcp/own-answer.ts';
import type { Session } from '../sessions/session.ts';
import { AwakeStreams, awakeEveryMs } from './awake.ts';
import { accepted, errorBody, sendError } from './error-reply.ts';
import { type EventStream, openEventStream } from './event-stream.ts';
import { openListening } from './listening.ts';
import { answerModern, eraOf, type Exchange, type ModernParts } from './modern-exchange.ts';
import {
  checkGetHeaders,
  checkGetVersion,
  checkPostHeaders,
  checkVersion,
  credentialsOf,
  header,
  namedTenantOf,
  requireSessionId,
  sessionIdOf,
} from './mcp-headers.ts';
import { createPostReply } from './post-reply.ts';
import type { RemoteOf } from './remote-address.ts';
import { readBody } from './read-body.ts';
import { draining, refuse } from './refusal.ts';

export interface McpEndpointParts {
  readonly gateway: Gateway;
  /** The largest body, in bytes. */
  readonly maxBody: number;
  /** The deepest nesting of a message. */
  readonly maxDepth: number;
  /** Is everything new refused, because the proxy is about to stop? */
  readonly isDraining: () => boolean;
  readonly remoteOf: RemoteOf;
  /** A stranger was turned away. */
  readonly refused: (request: IncomingMessage) => void;
}

const maxBatch = 100;

/** Streamable HTTP of 2025-03-26, 2025-06-18 and 2025-11-25: POST, GET and DELETE on one path. */
export class McpEndpoint {
  readonly #parts: McpEndpointParts;
  readonly #streams = new AwakeStreams();
  readonly #awake: NodeJS.Timeout;
  readonly #modern: ModernParts;

  constructor(parts: McpEndpointParts) {
    this.#parts = parts;
    this.#modern = {
      gateway: parts.gateway,
      readEnvelope: createEnvelopeReader(),
      openStream: (response) => this.#openStream(response),
    };
    this.#awake = setInterval(() => {
      // Not the young ones: a comment turns a plain answer into a stream.
      parts.gateway.keepAwake(awakeEveryMs);
    }, awakeEveryMs).unref();
  }

  /** Answer one HTTP request, whatever it holds. `server` is the name in the path, if any. */
  handle(request: IncomingMessage, response: ServerResponse, server: string | undefined): void {
    this.#route(request, response, server).catch((thrown: unknown) => {
      refuse({ request, response, allow: 'POST, GET, DELETE' }, thrown, this.#parts.refused);
    });
  }

  /** End the streams that would otherwise stay open for ever. */
  close(): void {
    clearInterval(this.#awake);
    this.#streams.close();
  }

  async #route(
    request: IncomingMessage,
    response: ServerResponse,
    server: string | undefined,
  ): Promise<void> {
    const { method } = request;
    if (method !== 'POST' && method !== 'GET' && method !== 'DELETE') {
      throw new ProxyError('METHOD_NOT_ALLOWED', 'Use POST, GET or DELETE');
    }
    if (this.#parts.isDraining()) throw draining();
    const { gateway, remoteOf } = this.#parts;
    const credentials = credentialsOf(request, remoteOf(request));
    const caller = gateway.admit(credentials, server, namedTenantOf(request));
    if (method !== 'POST') checkGetVersion(request);
    const exchange = { request, response, caller };
    if (method === 'POST') await this.#post(exchange);
    else if (method === 'GET') this.#get(exchange);
    else this.#delete(exchange);
  }

  async #post(exchange: Exchange): Promise<void> {
    const { request, response, caller } = exchange;
    const { gateway, maxBody, maxDepth } = this.#parts;
    checkPostHeaders(request, maxBody);
    const body = await readBody(request, maxBody);
    const batch = splitBatch(body, maxBatch, maxDepth);
    if (batch) return this.#postBatch(exchange, batch);
    const message = readMessage(body, maxDepth);
    if (eraOf(request, message) === 'modern') return answerModern(exchange, message, this.#modern);
    checkVersion(request);
    if (message.kind === 'request') return this.#answer(exchange, message);
    gateway.accept(caller, requireSessionId(request), message);
    accepted(response);
  }

  async #answer({ request, response, caller }: Exchange, message: Message): Promise<void> {
    let opened: Session | undefined;
    const sessionId = sessionIdOf(request);
    const reply = createPostReply(response, {
      extra: () => (opened ? { 'mcp-session-id': opened.id } : {}),
      session: () => this.#parts.gateway.findSession(caller, sessionId),
    });
    // The header with the session's id must come first, so an `initialize` is never kept awake with a comment.
    const stayAwake = message.method === methods.initialize ? noComment : reply.stayAwake;
    try {
      const inbound = { sessionId, message, tell: reply.tell, stayAwake, sent: reply.sent };
      const answer = await this.#parts.gateway.request(caller, inbound);
      opened = answer.opened;
      reply.finish([answer.reply.parts], false);
    } catch (thrown) {
      const error = ProxyError.from(thrown);
      if (error.code === 'CANCELLED') reply.abandon();
      else if (reply.isStream()) reply.finish([[errorBody(error, idTextOf(message))]], false);
      else sendError(response, error, idTextOf(message));
    }
  }

  /** Taken apart here: servers read one message a line, and SDK servers drop a whole array in silence. */
  async #postBatch({ request, response, caller }: Exchange, parts: readonly Buffer[]): Promise<void> {
    const { gateway, maxDepth } = this.#parts;
    const messages = parts.map((bytes) => readMessage(bytes, maxDepth));
    checkVersion(request);
    const session = () => gateway.findSession(caller, sessionIdOf(request));
    checkBatch(messages, [header(request, 'mcp-protocol-version'), session()?.protocolVersion]);
    const sessionId = requireSessionId(request);
    for (const message of messages)
      if (message.kind !== 'request') gateway.accept(caller, sessionId, message);
    const requests = messages.filter(({ kind }) => kind === 'request');
    if (requests.length === 0) {
      accepted(response);
      return;
    }
    const reply = createPostReply(response, { extra: () => ({}), session });
    const { tell, stayAwake, sent } = reply;
    const answers = await Promise.all(
      requests.map((message) =>
        gateway.request(caller, { sessionId, message, tell, stayAwake, sent }).then(
          (answer) => answer.reply.parts,
          (thrown: unknown) => errorParts(ProxyError.from(thrown), message),
        ),
      ),
    );
    const wanted = answers.filter((answer) => answer !== undefined);
    if (wanted.length === 0) reply.abandon();
    else reply.finish(wanted, true);
  }

  #get({ request, response, caller }: Exchange): void {
    checkGetHeaders(request);
    const session = this.#parts.gateway.session(caller, requireSessionId(request));
    const stream = openListening(session, request, response);
    if (stream) response.once('close', this.#streams.add(stream));
  }

  /** A stream that stays open is kept awake, and closed when the proxy stops. */
  #openStream(response: ServerResponse): EventStream {
    const stream = openEventStream(response);
    response.once('close', this.#streams.add(stream));
    return stream;
  }

  #delete({ request, response, caller }: Exchange): void {
    this.#parts.gateway.end(caller, requireSessionId(request));
    response.writeHead(200, { 'content-length': 0 }).end();
  }
}

/** Batches were in 2025-03-26 only: `versions` are what the request says, and what its session agreed on, if known. */
function checkBatch(messages: readonly Message[], versions: readonly (string | undefined)[]): void {
  for (const version of versions)
    if (version !== undefined && version !== '2025-03-26')
      throw new ProxyError('INVALID_REQUEST', `Protocol ${version} has no batches`);
  if (messages.some(({ claim }) => claim !== undefined)) {
    throw new ProxyError('INVALID_REQUEST', 'Revision 2026-07-28 has no batches');
  }
  if (messages.some(({ method }) => method === methods.initialize)) {
    throw new ProxyError('INVALID_REQUEST', 'initialize must not be in a batch');
  }
}

/** Undefined for what the client cancelled, which gets no response. */
const errorParts = (error: ProxyError, message: Message): readonly Buffer[] | undefined =>
  error.code === 'CANCELLED' ? undefined : [errorBody(error, idTextOf(message))];

const noComment = () => undefined;
