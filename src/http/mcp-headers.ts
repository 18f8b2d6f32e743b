import type { IncomingMessage } from 'node:http';
import type { Credentials } from '../auth/principal.ts';
import { ProxyError } from '../calls/error.ts';
import { isLegacyVersion, isOfModernEra } from '../mcp/versions.ts';
import { tooLarge } from './read-body.ts';

/** A header that may stand once; undefined if it is not there. */
export function header({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** Who asks: of headers only. A key in the URL would stand in every log on the way. */
export const credentialsOf = (request: IncomingMessage, remote: string): Credentials => ({
  authorization: request.headers.authorization,
  apiKey: header(request, 'x-api-key'),
  remote,
});

/** The tenant that the caller thinks it is of. */
export const namedTenantOf = (request: IncomingMessage) => header(request, 'x-tenant-id');

export const sessionIdOf = (request: IncomingMessage) => header(request, 'mcp-session-id');

/** @throws {ProxyError} INVALID_REQUEST (2025-11-25 transports, "Session Management": 400 without a session id) */
export function requireSessionId(request: IncomingMessage): string {
  const id = sessionIdOf(request);
  if (id === undefined) throw new ProxyError('INVALID_REQUEST', 'Send Mcp-Session-Id, or initialize first');
  return id;
}

/** @throws {ProxyError} INVALID_REQUEST (2025-11-25 transports, "Protocol Version Header"; absent is fine) */
export function checkVersion(request: IncomingMessage): void {
  const version = header(request, 'mcp-protocol-version');
  if (version !== undefined && !isLegacyVersion(version)) {
    throw new ProxyError('INVALID_REQUEST', 'MCP-Protocol-Version is none that is spoken here');
  }
}

/** GET and DELETE are of the legacy era. @throws {ProxyError} METHOD_NOT_ALLOWED, INVALID_REQUEST */
export function checkGetVersion(request: IncomingMessage): void {
  const version = header(request, 'mcp-protocol-version') ?? '';
  if (isOfModernEra(version)) {
    throw new ProxyError('METHOD_NOT_ALLOWED', `Revision ${version} has no GET and no DELETE; use POST`);
  }
  checkVersion(request);
}

/** @throws {ProxyError} UNSUPPORTED_MEDIA_TYPE, NOT_ACCEPTABLE, TOO_LARGE: all before a byte of the body is read */
export function checkPostHeaders(request: IncomingMessage, maxBody: number): void {
  checkBodyHeaders(request, maxBody);
  if (!accepts(request, 'application/json') || !accepts(request, 'text/event-stream')) {
    throw new ProxyError('NOT_ACCEPTABLE', 'POST needs Accept: application/json, text/event-stream');
  }
}

/** @throws {ProxyError} UNSUPPORTED_MEDIA_TYPE, TOO_LARGE: all before a byte of the body is read */
export function checkBodyHeaders({ headers }: IncomingMessage, maxBody: number): void {
  if (!/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) {
    throw new ProxyError('UNSUPPORTED_MEDIA_TYPE', 'POST needs Content-Type: application/json');
  }
  // Never unpacked: a few bytes could become gigabytes.
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new ProxyError('UNSUPPORTED_MEDIA_TYPE', 'Send the body without Content-Encoding');
  }
  if (Number(headers['content-length'] ?? 0) > maxBody) throw tooLarge(maxBody);
}

/** @throws {ProxyError} NOT_ACCEPTABLE */
export function checkGetHeaders(request: IncomingMessage): void {
  if (!accepts(request, 'text/event-stream')) {
    throw new ProxyError('NOT_ACCEPTABLE', 'GET needs Accept: text/event-stream');
  }
}

/** A weight of nothing: `q=0`, `q=0.0`. */
const refused = /;\s*q=0(\.0*)?\s*(?=$|[;,])/;

function accepts({ headers }: IncomingMessage, type: string): boolean {
  const accept = (headers.accept ?? '').toLowerCase();
  const anyOfKind = `${type.split('/', 1)[0] ?? ''}/*`;
  if (!refused.test(accept))
    return accept.includes(type) || accept.includes('*/*') || accept.includes(anyOfKind);
  // Of several that fit, the most exact one decides (RFC 9110, 12.5.1).
  const said = accept.split(',').map((each) => each.trim());
  const fitting = [type, anyOfKind, '*/*'].map((range) =>
    said.find((each) => each.split(';', 1)[0]?.trim() === range),
  );
  const decisive = fitting.find((each) => each !== undefined);
  return decisive !== undefined && !refused.test(decisive);
}
