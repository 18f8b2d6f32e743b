import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';
import type { Destination } from './destination.ts';
import { isReachable } from './reachable.ts';

/** How a name is looked up; all its addresses, the best first. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** How long one address may take to answer, and all together, in milliseconds. */
const addressMs = 5000;
const allMs = 10_000;

/** As the machine's other programs have it. What is asked for at the same time is asked once. */
export function createResolve(): Resolve {
  const underWay = new Map<string, Promise<readonly string[]>>();
  return (host) => {
    const known = underWay.get(host);
    if (known) return known;
    const asked = lookup(host, { all: true })
      .then((found) => found.map(({ address }) => address))
      .finally(() => underWay.delete(host));
    underWay.set(host, asked);
    return asked;
  };
}

/**
 * A connection to a host that an operator has listed, and to nothing else: to an address that it has now, and that was
 * looked at. @throws {Error} in words for an operator
 */
export async function wayOut({ host, port }: Destination, resolve: Resolve): Promise<Socket> {
  const endAt = performance.now() + allMs;
  let trouble = '';
  for (const address of await addressesOf(host, resolve)) {
    const withinMs = Math.min(addressMs, endAt - performance.now());
    if (withinMs <= 0) break;
    const tried = await attempt({ address, port, withinMs });
    if (typeof tried !== 'string') return tried;
    trouble ||= `${address} does not take the connection (${tried})`;
  }
  throw new Error(trouble || `looking up the name took more than ${allMs / 1000} s`);
}

async function addressesOf(host: string, resolve: Resolve): Promise<readonly string[]> {
  const found = await resolve(host).catch((thrown: unknown) => {
    throw new Error(`the name cannot be looked up (${(thrown as { code?: string }).code ?? 'unknown'})`);
  });
  const reachable = found.filter((address) => isReachable(host, address));
  if (reachable.length > 0) return reachable;
  throw new Error(
    `it resolves to ${found.join(', ') || 'nothing'}, where no allow-list leads` +
      ' (this machine is reached as localhost, metadata services and neighbours on the link not at all)',
  );
}

interface Attempt {
  readonly address: string;
  readonly port: number;
  readonly withinMs: number;
}

/** The connection, or why there is none. */
function attempt({ address, port, withinMs }: Attempt): Promise<Socket | string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true, keepAlive: true });
    const settle = (outcome: Socket | string): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
      if (typeof outcome === 'string') socket.on('error', () => undefined).destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => settle('no answer'), withinMs);
    socket.once('connect', () => settle(socket));
    socket.once('error', ({ code }: { code?: string }) => settle(code ?? 'failed'));
  });
}
