import { z } from 'zod';

/** A host by its name, and the one port that may be reached there. */
export interface Destination {
  /** In small letters, without a dot at the end. */
  readonly host: string;
  readonly port: number;
}

/** What a server reaches of the network: the machine's, nothing, or what is listed and nothing else. */
export type Network = 'shared' | 'none' | { readonly allow: readonly Destination[] };

/** Each has a listener of its own, made at every start. */
const maxDestinations = 64;
const usualPort = 443;

/** `sandbox.network` in YAML: `shared`, `none`, or `{ allow: [host, "host:port"] }`. */
export function network() {
  return z.unknown().transform((value, context): Network => {
    const read = readNetwork(value);
    if (!('message' in read)) return read.network;
    context.addIssue({ code: 'custom', ...read });
    return z.NEVER;
  });
}

interface Trouble {
  readonly path: (string | number)[];
  readonly message: string;
}

function readNetwork(value: unknown): { readonly network: Network } | Trouble {
  if (value === 'shared' || value === 'none') return { network: value };
  const list = listIn(value);
  if (list === undefined) {
    return { path: [], message: 'write shared, none, or { allow: [api.example.com, "db.internal:5432"] }' };
  }
  if (list.length === 0)
    return { path: ['allow'], message: 'list a host, or write none in place of the list' };
  if (list.length > maxDestinations)
    return { path: ['allow'], message: `list ${maxDestinations} hosts and ports at most` };
  const allow = new Map<string, Destination>();
  for (const [at, text] of list.entries()) {
    const read = readDestination(text);
    if (typeof read === 'string') return { path: ['allow', at], message: read };
    allow.set(`${read.host}:${read.port}`, read);
  }
  return { network: { allow: [...allow.values()] } };
}

function listIn(value: unknown): readonly unknown[] | undefined {
  if (typeof value !== 'object' || value === null || Object.keys(value).join() !== 'allow') return undefined;
  const { allow } = value as { allow: unknown };
  return Array.isArray(allow) ? allow : undefined;
}

/** A destination, or what to write instead; nothing of the text is in that. */
export function readDestination(text: unknown): Destination | string {
  if (typeof text !== 'string')
    return 'write a host, or a host and its port, such as "db.internal:5432", in quotes';
  const refusal = refusals.find(([pattern]) => pattern.test(text))?.[1];
  return refusal ?? readHostAndPort(text);
}

function readHostAndPort(text: string): Destination | string {
  const [name = '', port = String(usualPort), ...more] = text.split(':');
  const host = name.toLowerCase().replace(/\.$/, '');
  if (isNumeric(host)) return addressAdvice;
  if (more.length > 0 || !isPort(port))
    return 'write one port from 1 to 65535 behind the host, such as "db.internal:5432"; each further port is an entry of its own';
  if (!isHostName(host))
    return 'write the name of a host: letters, digits, "-", "_" and dots (names in other scripts as xn--…)';
  return { host, port: Number(port) };
}

const addressAdvice =
  'write a name, not an address: behind an allow-list only names lead out; a name for it in /etc/hosts of this machine will do';

/** What people write elsewhere and is none here. The first that fits is said. */
const refusals: readonly (readonly [RegExp, string])[] = [
  [/:\/\//, 'write a host and its port only, without "https://" and without a path'],
  [/\*/, 'list each host by its full name and each port by its number: there are no wildcards'],
  [/^\./, 'list each host by its full name: there are no domains that stand for all hosts in them'],
  [/^\[?[0-9a-f]*:[0-9a-f:]*:[0-9a-f:.]*\]?(:\d+)?$/i, addressAdvice],
  [/^[\d.]+\/\d+$/, addressAdvice],
  [/\//, 'write a host and its port only: what is asked for there, and networks, cannot be listed'],
  [/@/, 'write a host and its port only, without a user'],
  [/\s|,/, 'write one host in each entry of the list'],
];

/** Resolvers take a name that ends in a number for an address: 127.1, 2130706433, 0x7f.1. */
function isNumeric(host: string): boolean {
  return /^(?:\d+|0x[0-9a-f]*)$/.test(host.split('.').at(-1) ?? '');
}

function isPort(text: string): boolean {
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535;
}

function isHostName(host: string): boolean {
  return (
    host.length <= 253 &&
    host.split('.').every((label) => /^(?!-)[a-z0-9_-]{1,63}$/.test(label) && !label.endsWith('-'))
  );
}
