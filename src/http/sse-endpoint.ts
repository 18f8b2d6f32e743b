import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProxyError } from '../calls/error.ts';
import type { Admitted } from '../gateway/gateway.ts';
import { readMessage, splitBatch } from '../mcp/message.ts';
import { methods } from '../mcp/methods.ts';
import { AwakeStreams } from './awake.ts';
import { accepted } from './error-reply.ts';
import { openEventStream } from './event-stream.ts';
import {
  checkBodyHeaders,
  checkGetHeaders,
  checkVersion,
  credentialsOf,
  namedTenantOf,
} from './mcp-headers.ts';
import type { McpEndpointParts } from './mcp-endpoint.ts';
import { readBody } from './read-body.ts';
import { draining, refuse } from './refusal.ts';
import { SseConnection } from './sse-connection.ts';

export interface SseEndpointParts extends McpEndpointParts {
  /** Streams at once that one tenant may have open. */
  readonly maxPerTenant: number;
}

/** A client that opens a stream and says nothing is let go, after so many milliseconds. */
const openWithinMs = 30_000;
const maxBatch = 100;

/**
 * HTTP+SSE of 2024-11-05: a GET whose stream first names where to POST, and gets all that the server says; and the
 * POSTs, each with the key. Whoever POSTs must be who opened the stream: its id alone opens nothing.
 */
export class SseEndpoint {
  readonly #parts: SseEndpointParts;
  readonly #streams = new AwakeStreams();
  readonly #connections = new Map<string, SseConnection>();
  readonly #perTenant = new Map<string, number>();

  constructor(parts: SseEndpointParts) {
    this.#parts = parts;
  }

  /** GET /sse, and what is another name of it. `server` is the name in the path, if any. */
  open(request: IncomingMessage, response: ServerResponse, server: string | undefined): void {
    try {
      if (request.method !== 'GET') throw new ProxyError('METHOD_NOT_ALLOWED', 'Use GET');
      if (this.#parts.isDraining()) throw draining();
      checkVersion(request);
      const { gateway } = this.#parts;
      const caller = gateway.admit(
        credentialsOf(request, this.#parts.remoteOf(request)),
        server,
        namedTenantOf(request),
      );
      // Old clients may leave it out, which means anything.
      if (request.headers.accept !== undefined) checkGetHeaders(request);
      this.#requireRoom(caller);
      this.#connect(caller, response);
    } catch (thrown) {
      refuse({ request, response, allow: 'GET' }, thrown, this.#parts.refused);
    }
  }

  /** POST /message?sessionId=… */
  post(request: IncomingMessage, response: ServerResponse): void {
    this.#post(request, response).catch((thrown: unknown) => {
      refuse({ request, response, allow: 'POST' }, thrown, this.#parts.refused);
    });
  }

  /** End the streams, which would otherwise stay open for ever. */
  close(): void {
    this.#streams.close();
  }

  #connect(caller: Admitted, response: ServerResponse): void {
    const { gateway } = this.#parts;
    const stream = openEventStream(response);
    const connection = new SseConnection(gateway, caller, stream);
    this.#connections.set(connection.id, connection);
    this.#count(caller, 1);
    const sleep = this.#streams.add(stream);
    const letGo = setTimeout(() => {
      if (!connection.isInUse) stream.close();
    }, openWithinMs).unref();
    response.once('close', () => {
      clearTimeout(letGo);
      sleep();
      this.#count(caller, -1);
      this.#connections.delete(connection.id);
      connection.close();
    });
    stream.writeEvent(['event: endpoint', `data: /message?sessionId=${connection.id}`]);
  }

  async #post(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') throw new ProxyError('METHOD_NOT_ALLOWED', 'Use POST');
    const { isDraining, maxBody, maxDepth } = this.#parts;
    if (isDraining()) throw draining();
    checkVersion(request);
    const { connection, caller } = this.#whose(request);
    checkBodyHeaders(request, maxBody);
    const body = await readBody(request, maxBody);
    const batch = splitBatch(body, maxBatch, maxDepth);
    const messages = (batch ?? [body]).map((bytes) => readMessage(bytes, maxDepth));
    if (batch && messages.some(({ method }) => method === methods.initialize))
      throw new ProxyError('INVALID_REQUEST', 'initialize must not be in a batch');
    for (const message of messages) connection.take(caller, message);
    accepted(response);
  }

  /** @throws {ProxyError} SESSION_NOT_FOUND, in the same words whether it never was, is over, or is another's */
  #whose(request: IncomingMessage): { connection: SseConnection; caller: Admitted } {
    const { gateway } = this.#parts;
    const who = gateway.identify(
      credentialsOf(request, this.#parts.remoteOf(request)),
      namedTenantOf(request),
    );
    const id = new URL(request.url ?? '', 'http://localhost').searchParams.get('sessionId');
    if (id === null)
      throw new ProxyError('INVALID_REQUEST', 'POST where the "endpoint" event said: /message?sessionId=…');
    const connection = this.#connections.get(id);
    const owner = connection?.caller.principal;
    const isOwn = owner?.tenantId === who.principal.tenantId && owner.keyName === who.principal.keyName;
    if (!connection || !isOwn)
      throw new ProxyError('SESSION_NOT_FOUND', 'No such session; open a new one with GET /sse');
    return { connection, caller: gateway.toServer(who, connection.caller.spec.name) };
  }

  #requireRoom({ principal }: Admitted): void {
    if ((this.#perTenant.get(principal.tenantId) ?? 0) < this.#parts.maxPerTenant) return;
    throw new ProxyError('TENANT_BUSY', 'All streams are in use; close one, or try again shortly', {
      retryAfterMs: 5000,
    });
  }

  #count({ principal: { tenantId } }: Admitted, step: number): void {
    const now = (this.#perTenant.get(tenantId) ?? 0) + step;
    if (now > 0) this.#perTenant.set(tenantId, now);
    else this.#perTenant.delete(tenantId);
  }
}
