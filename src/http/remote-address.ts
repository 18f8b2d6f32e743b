import type { IncomingMessage } from 'node:http';
import type { AddressList } from '../yaml/addresses.ts';
import { header } from './mcp-headers.ts';

/** Where a request comes from; empty if its connection is gone already. */
export type RemoteOf = (request: IncomingMessage) => string;

/**
 * The address of the client. Of `X-Forwarded-For` only that is believed which a trusted proxy has written: read from the
 * right, the first address that is none of theirs. What stands left of it, the client may have written itself.
 */
export function createRemoteOf(trusted: AddressList): RemoteOf {
  return (request) => {
    let remote = request.socket.remoteAddress ?? '';
    if (!trusted.has(remote)) return remote;
    const hops = (header(request, 'x-forwarded-for') ?? '').split(',').map((hop) => hop.trim());
    for (const hop of hops.reverse()) {
      if (hop === '') break;
      remote = hop;
      if (!trusted.has(hop)) break;
    }
    return remote;
  };
}
