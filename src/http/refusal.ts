import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProxyError } from '../calls/error.ts';
import { MalformedMessage } from '../mcp/message.ts';
import { isOfModernEra } from '../mcp/versions.ts';
import { sendError } from './error-reply.ts';
import { header } from './mcp-headers.ts';

const drainRetryMs = 1000;

export const draining = () =>
  new ProxyError('DRAINING', 'The proxy is about to stop; ask again shortly', { retryAfterMs: drainRetryMs });

/** One HTTP exchange, and what may be asked on its path. */
export interface Refused {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly allow: string;
}

/** What is left of a refused body is thrown away, and the connection with it. `stranger` hears of who has no key. */
export function refuse(
  { request, response, allow }: Refused,
  thrown: unknown,
  stranger: (request: IncomingMessage) => void,
): void {
  const error =
    thrown instanceof MalformedMessage
      ? new ProxyError(thrown.code, thrown.message)
      : ProxyError.from(thrown);
  if (error.code === 'UNAUTHENTICATED') stranger(request);
  const extra: Record<string, string> = {};
  if (error.code === 'METHOD_NOT_ALLOWED') extra['allow'] = allow;
  if (!request.complete) extra['connection'] = 'close';
  // Revision 2026-07-28 has no id that is `null` (basic/index, "Responses").
  const isModern = isOfModernEra(header(request, 'mcp-protocol-version') ?? '');
  sendError(response, error, isModern ? undefined : 'null', extra);
  request.resume();
}
