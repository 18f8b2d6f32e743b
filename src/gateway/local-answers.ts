import type { Reply } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import type { Message } from '../mcp/message.ts';
import { idTextOf, ownAnswer } from '../mcp/own-answer.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { ServerSpec } from '../workers/spec.ts';

/** `ping` asks whether the other side is there; that is the proxy (2025-11-25 utilities/ping). */
export function pong(message: Message): Reply {
  return { parts: [ownAnswer(idTextOf(message), 'result', {})], isError: false };
}

/** `/mcp/connect` is another name of `/mcp` in clients' configurations; a server that is called so goes first. */
export const connectName = 'connect';

/** The server a URL means: `/mcp/<name>`, or for `/mcp` the one called `default` or the only one. */
export function requireServer({ servers }: Tenant, name: string | undefined): ServerSpec {
  const [only] = servers.values();
  const isNamed = name !== undefined && !(name === connectName && !servers.has(name));
  const found = isNamed
    ? servers.get(name)
    : (servers.get('default') ?? (servers.size === 1 ? only : undefined));
  if (found) return found;
  const paths = [...servers.keys()].map((server) => `/mcp/${server}`).join(', ');
  throw new ProxyError('NOT_FOUND', `No server here; this tenant has ${paths}`);
}
