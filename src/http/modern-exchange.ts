import type { IncomingMessage, ServerResponse } from 'node:http';
import { Cancellation } from '../calls/call.ts';
import { errorCodes, ProxyError } from '../calls/error.ts';
import type { Admitted, Answer, Gateway } from '../gateway/gateway.ts';
import type { createEnvelopeReader, Envelope } from '../mcp/envelope.ts';
import {
  headerMismatch,
  methodNotFound,
  methods,
  missingCapability,
  unsupportedVersion,
} from '../mcp/methods.ts';
import type { Message } from '../mcp/message.ts';
import { idTextOf } from '../mcp/own-answer.ts';
import { type Era, isModernVersion, isOfModernEra, modernVersions } from '../mcp/versions.ts';
import { errorBody, sendError } from './error-reply.ts';
import type { EventStream } from './event-stream.ts';
import { header } from './mcp-headers.ts';
import { checkMirrored, checkStandardHeaders, mismatch } from './mirrored-headers.ts';
import { createPostReply } from './post-reply.ts';

/** One HTTP exchange with a caller that is known. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller: Admitted;
}

export interface ModernParts {
  readonly gateway: Gateway;
  readonly readEnvelope: ReturnType<typeof createEnvelopeReader>;
  readonly openStream: (response: ServerResponse) => EventStream;
}

/**
 * Which era is this POST of? The body decides, and the header only where the body cannot (2026-07-28
 * basic/versioning, "Backward Compatibility").
 */
export function eraOf(request: IncomingMessage, { kind, claim }: Message): Era {
  if (kind === 'response') return 'legacy';
  if (claim) return 'modern';
  return isOfModernEra(header(request, 'mcp-protocol-version') ?? '') ? 'modern' : 'legacy';
}

/** Answer a POST of the modern era: one request, and its answer as JSON or as a stream that ends with it. */
export async function answerModern(exchange: Exchange, message: Message, parts: ModernParts): Promise<void> {
  const { request, response } = exchange;
  if (message.kind !== 'request') {
    // This revision has no notification of the client's over HTTP; one that comes is heard and nothing follows.
    response.writeHead(202, { 'content-length': 0 }).end();
    return;
  }
  try {
    const envelope = checkEnvelope(request, message, parts);
    await answer(exchange, { message, envelope, parts });
  } catch (thrown) {
    const error = ProxyError.from(thrown);
    if (error.code === 'CANCELLED') response.end();
    else sendError(response, error, idTextOf(message));
  }
}

/** The rungs that need nothing but the request. @throws {ProxyError} INVALID_PARAMS, HEADER_MISMATCH, UNSUPPORTED_VERSION */
function checkEnvelope(request: IncomingMessage, message: Message, { readEnvelope }: ModernParts): Envelope {
  // Its header alone says that it is modern, and the one who wrote it knows no envelope to ask for.
  if (message.method === methods.initialize && !message.claim)
    throw mismatch('initialize is not of the revision in MCP-Protocol-Version');
  const envelope = readEnvelope(message);
  if (typeof envelope === 'string') throw new ProxyError('INVALID_PARAMS', envelope);
  const { version } = envelope;
  const named = header(request, 'mcp-protocol-version');
  if (named !== undefined && named !== version)
    throw mismatch('MCP-Protocol-Version is not the one in `_meta`');
  const method = header(request, 'mcp-method');
  if (method !== undefined && method !== message.method) throw mismatch('Mcp-Method is not the method');
  if (!isModernVersion(version)) {
    throw new ProxyError('UNSUPPORTED_VERSION', 'This revision is not spoken here', {
      details: { supported: modernVersions, requested: version },
    });
  }
  checkStandardHeaders(request, message);
  return envelope;
}

interface Asked {
  readonly message: Message;
  readonly envelope: Envelope;
  readonly parts: ModernParts;
}

async function answer(exchange: Exchange, { message, envelope, parts }: Asked): Promise<void> {
  const { request, response, caller } = exchange;
  const reply = createPostReply(response, { extra: () => ({}), session: () => undefined });
  const cancellation = new Cancellation();
  // Closing the stream is how a client of this revision cancels (transports/streamable-http, "Cancellation").
  response.once('close', () => {
    if (!response.writableFinished) {
      cancellation.cancel(new ProxyError('CANCELLED', 'The client closed the stream'));
    }
  });
  const visit = {
    envelope,
    cancellation,
    checkMirrored: checkMirrored(request, message),
    openStream: () => parts.openStream(response),
  };
  const { tell, stayAwake, sent } = reply;
  try {
    const answered = await parts.gateway.request(caller, {
      sessionId: undefined,
      message,
      tell,
      stayAwake,
      sent,
      visit,
    });
    if (message.method !== methods.listen || answered.reply.isError) {
      reply.finish([answered.reply.parts], false, statusOf(answered));
    }
  } catch (thrown) {
    const error = ProxyError.from(thrown);
    if (error.code === 'CANCELLED' || !reply.isStream()) throw error;
    reply.finish([[errorBody(error, idTextOf(message))]], false);
  }
}

/** Errors of the protocol's own have a status, whoever answers with them. */
const statuses: ReadonlyMap<number, number> = new Map([
  [methodNotFound, errorCodes.METHOD_NOT_FOUND.http],
  [headerMismatch, errorCodes.HEADER_MISMATCH.http],
  [missingCapability, errorCodes.MISSING_CAPABILITY.http],
  [unsupportedVersion, errorCodes.UNSUPPORTED_VERSION.http],
]);

/** What else a server answers is an answer like any other. */
const statusOf = ({ reply: { errorCode } }: Answer): number => statuses.get(errorCode ?? 0) ?? 200;
