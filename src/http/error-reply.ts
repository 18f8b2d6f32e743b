import type { ServerResponse } from 'node:http';
import { errorCodes, type ProxyError } from '../calls/error.ts';
import { ownAnswer } from '../mcp/own-answer.ts';

/** The JSON-RPC error that a client sees; `id` is the text of the request's own id, `null`, or undefined for none. */
export function errorBody(error: ProxyError, id: string | undefined): Buffer {
  const { code, message, executed, requestId, details } = error;
  const { rpc, retryable } = errorCodes[code];
  const data = {
    source: 'proxy',
    code,
    executed,
    // What may have run already must not be asked again without a look.
    retryable: retryable && executed === 'no',
    ...(requestId === undefined ? {} : { requestId }),
    ...details,
  };
  return ownAnswer(id, 'error', { code: rpc, message, data });
}

/** The one place where an error becomes an HTTP response. */
export function sendError(
  response: ServerResponse,
  error: ProxyError,
  id: string | undefined,
  extra: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent) {
    response.end();
    return;
  }
  const body = errorBody(error, id);
  response.writeHead(errorCodes[error.code].http, {
    ...headersFor(error),
    ...extra,
    'content-type': 'application/json',
    'content-length': body.length,
  });
  response.end(body);
}

/** A message that wants no answer here was taken. */
export function accepted(response: ServerResponse): void {
  response.writeHead(202, { 'content-length': 0 }).end();
}

function headersFor({ code, retryAfterMs }: ProxyError): Record<string, string> {
  const headers: Record<string, string> = {};
  if (retryAfterMs !== undefined)
    headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  if (code === 'UNAUTHENTICATED') headers['www-authenticate'] = 'Bearer realm="mcp"';
  if (code === 'DRAINING') headers['connection'] = 'close';
  return headers;
}
