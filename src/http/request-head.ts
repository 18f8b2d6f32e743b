import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProxyError } from '../calls/error.ts';

const absoluteForm = /^https?:\/\/([^/?#]*)(\/?.*)$/i;

/**
 * What whoever stands between a client and us could read otherwise than we do is refused, and the connection with it: more
 * than one `Host`, and a body that came through more than `chunked`.
 * @throws {ProxyError} INVALID_REQUEST
 */
export function checkHead(request: IncomingMessage, response: ServerResponse): void {
  const problem = problemOf(request);
  if (problem === undefined) return;
  response.shouldKeepAlive = false;
  throw new ProxyError('INVALID_REQUEST', problem);
}

function problemOf(request: IncomingMessage): string | undefined {
  if (countOf(request, 'host') > 1) return 'Send one Host header';
  const coding = request.headers['transfer-encoding'] ?? 'chunked';
  return coding.toLowerCase() === 'chunked' ? undefined : 'Of Transfer-Encoding only "chunked" is understood';
}

/** A target that is a whole URL is one as well; its host then counts, whatever `Host` says (RFC 9112, 3.2.2). */
export function toOriginForm(request: IncomingMessage): void {
  const { url = '/' } = request;
  if (url.startsWith('/')) return;
  const [, host, rest = ''] = absoluteForm.exec(url) ?? [];
  if (host === undefined) return;
  request.headers.host = host;
  request.url = rest.startsWith('/') ? rest : `/${rest}`;
}

/** Of repeated headers Node keeps the first only. */
function countOf({ rawHeaders }: IncomingMessage, name: string): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.length === name.length && rawHeaders[at]?.toLowerCase() === name) count++;
  return count;
}
