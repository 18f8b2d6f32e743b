import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

/** A set of internet addresses. */
export interface AddressList {
  /** False for what is no address. An IPv4 address is the same when it is written as IPv6. */
  has(address: string): boolean;
}

/** Addresses and networks in YAML, such as `192.0.2.7`, `10.0.0.0/8` or `2001:db8::/32`; for `addressList`. */
export function addresses() {
  const words = 'write an address or a network, such as "192.0.2.7", "10.0.0.0/8" or "2001:db8::/32"';
  return z.array(z.string().refine((text) => readNetwork(text) !== undefined, words));
}

/** The addresses that `texts`, sound ones of the above, stand for. */
export function addressList(texts: readonly string[]): AddressList {
  // Asked for each request: Node's list takes longer to find nothing in nothing than all else there.
  if (texts.length === 0) return { has: () => false };
  const list = new BlockList();
  for (const text of texts) {
    const network = readNetwork(text);
    if (network) list.addSubnet(network.address, network.prefix, familyOf(network.address));
  }
  return { has: (address) => isIP(address) !== 0 && list.check(address, familyOf(address)) };
}

function readNetwork(text: string): { readonly address: string; readonly prefix: number } | undefined {
  const [address = '', prefix, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return undefined;
  const most = version === 4 ? 32 : 128;
  if (prefix === undefined) return { address, prefix: most };
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= most ? { address, prefix: Number(prefix) } : undefined;
}

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');
