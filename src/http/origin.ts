import type { IncomingMessage } from 'node:http';
import { ProxyError } from '../calls/error.ts';

export interface AllowedNames {
  /** The address listened on. */
  readonly host: string;
  /** Further values of `Host`, without a port. Empty on a public address: any. */
  readonly allowedHosts: readonly string[];
  /** Further values of `Origin`, as browsers send them. */
  readonly allowedOrigins: readonly string[];
}

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];
const loopbackAddress = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/i;

/**
 * A web page can make a browser send requests here under a name of its own choosing (DNS rebinding); such a request
 * carries that name as `Host` and the page's as `Origin` (2025-11-25 transports, "Security Warning").
 */
export function createOriginCheck({
  host,
  allowedHosts,
  allowedOrigins,
}: AllowedNames): (request: IncomingMessage) => void {
  const isLoopback = loopbackAddress.test(host);
  const hosts = new Set(
    [...(isLoopback ? [...loopbackNames, host] : []), ...allowedHosts].map((name) => name.toLowerCase()),
  );
  const origins = originSet(allowedOrigins);
  const checksHost = isLoopback || allowedHosts.length > 0;

  return ({ headers }) => {
    if (checksHost && !hosts.has(nameOf(headers.host ?? ''))) {
      throw new ProxyError(
        'FORBIDDEN',
        'This Host is not served here; the operator can add it to listen.allowedHosts',
      );
    }
    const { origin } = headers;
    if (origin === undefined || origins.has(origin.toLowerCase())) return;
    if (isLoopback && loopbackNames.includes(hostOfOrigin(origin))) return;
    throw new ProxyError(
      'FORBIDDEN',
      'This Origin may not call here; the operator can add it to listen.allowedOrigins',
    );
  };
}

/** Browsers write them in lower case, operators as they like. */
export const originSet = (allowed: readonly string[]): ReadonlySet<string> =>
  new Set(allowed.map((origin) => origin.toLowerCase()));

const nameOf = (host: string) => host.replace(/:\d+$/, '').toLowerCase();

function hostOfOrigin(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).hostname : '';
}
