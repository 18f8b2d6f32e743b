import { type Call, type Cancellation, type Handler, type Reply, type Visitor } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import type { MirroredParameter, Upstream } from '../calls/upstream.ts';
import type { Envelope } from '../mcp/envelope.ts';
import { discoverAnswer, type ServerFacts } from '../mcp/handshake.ts';
import { readFilter } from '../mcp/listen-filter.ts';
import { invalidParams, isRemoved, methods } from '../mcp/methods.ts';
import { paramsOf, stringOf } from '../mcp/message.ts';
import { idTextOf, ownAnswer } from '../mcp/own-answer.ts';
import type { Listeners, ListenerStream } from '../sessions/listeners.ts';

/** A request of the modern era (2026-07-28), which says by itself all there is to know. */
export interface Visit {
  readonly envelope: Envelope;
  /** The client closes the stream of an answer to give it up. */
  readonly cancellation: Cancellation;
  /** Do the headers say what the arguments say? Throws HEADER_MISMATCH. */
  readonly checkMirrored: (parameters: readonly MirroredParameter[]) => void;
  /** Where what the caller listens for is written; made when it is first needed. */
  readonly openStream: () => ListenerStream;
}

/** Who visits, for those on the way of the call. */
export function visitorOf({ envelope }: Visit): Visitor {
  const { capabilities, clientInfo, logLevel } = envelope;
  return { capabilities, clientInfo, logLevel, ask: () => undefined };
}

/** The innermost step of such a request. Rejects with METHOD_NOT_FOUND, HEADER_MISMATCH, and what the upstream rejects with. */
export function visiting(upstream: Upstream, visit: Visit, listeners: Listeners): Handler {
  return async (call) => {
    const { method } = call.message;
    if (isRemoved(method))
      throw new ProxyError('METHOD_NOT_FOUND', `Revision 2026-07-28 has no ${method.slice(0, 64)}`);
    if (method === methods.discover) return discovered(call, await upstream.discover(call));
    if (method === methods.listen) return listening(upstream, visit, listeners, call);
    const checked = method === methods.callTool ? checkHeaders(upstream, visit, call) : undefined;
    // Nearly always the server's list is known, and there is nothing to wait for.
    if (checked) await checked;
    return upstream.visit(call);
  };
}

function discovered({ message }: Call, facts: ServerFacts): Reply {
  return { parts: [discoverAnswer(message, facts)], isError: false };
}

/** Undefined if it is done at once. */
function checkHeaders(upstream: Upstream, { checkMirrored }: Visit, call: Call): Promise<void> | undefined {
  const name = stringOf(call.message, call.message.name);
  if (name === undefined) return undefined;
  const known = upstream.mirrored(call, name);
  if (known instanceof Promise) return known.then(checkMirrored);
  checkMirrored(known);
  return undefined;
}

/** Stays until the client closes the stream, or there is nobody to listen to any more. */
async function listening(
  upstream: Upstream,
  { openStream, cancellation }: Visit,
  listeners: Listeners,
  call: Call,
): Promise<Reply> {
  const wanted = readFilter(paramsOf(call.message)['notifications']);
  if (!wanted) {
    const error = { code: invalidParams, message: '`params.notifications` must say what to hear of' };
    return { parts: [ownAnswer(idTextOf(call.message), 'error', error)], isError: true };
  }
  const facts = await upstream.discover(call);
  const listener = listeners.open(call, wanted, facts, openStream);
  try {
    const line = await upstream.listen(listener, call, listener.filter.uris);
    listeners.begin(listener, line);
    cancellation.listen(() => {
      listeners.close(listener);
    });
  } catch (thrown) {
    listeners.close(listener);
    throw thrown;
  }
  return { parts: [], isError: false };
}
