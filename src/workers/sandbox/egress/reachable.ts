import { BlockList, isIPv6 } from 'node:net';

/**
 * What no name may lead to, whoever its DNS belongs to: this machine's own services, its neighbours' on the same link with
 * the metadata of clouds among them, and what is no single host. Private networks are not among these: databases live there.
 */
const closed = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
  // Metadata of Alibaba's and of Azure's cloud.
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
] as const)
  closed.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  // Unspecified, loopback, and IPv4 in its two oldest spellings; the mapped one is looked up among the above.
  ['::', 96],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
  // The same by way of NAT64 and 6to4.
  ['64:ff9b::7f00:0', 104],
  ['64:ff9b::a9fe:0', 112],
  ['64:ff9b::', 104],
  ['2002:7f00::', 24],
  ['2002:a9fe::', 32],
  // Metadata of Amazon's cloud.
  ['fd00:ec2::254', 128],
] as const)
  closed.addSubnet(network, prefix, 'ipv6');

/** May a connection to `host` go to this address, one it resolves to? `localhost` is this machine, and nothing else is. */
export function isReachable(host: string, address: string): boolean {
  if (host === 'localhost') return /^(?:127\.|::1$)/.test(address);
  // With the zone of a link behind it: fe80::1%eth0.
  const [bare = ''] = address.split('%');
  return !closed.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4');
}
