import path from 'node:path';
import { createHash } from 'node:crypto';
import { keepFile } from '../kept-file.ts';
import type { Destination } from './destination.ts';

/** A destination, and where it is found inside: nobody else listens there. */
export interface Way extends Destination {
  /** In 127.0.0.0/8 of the sandbox's own network. */
  readonly address: string;
}

/** What is shown inside in place of the machine's files by which names are looked up: files on the machine. */
export interface NameFiles {
  readonly hosts: string;
  readonly resolv: string;
  readonly nsswitch: string;
}

/** Each host gets an address of its own, so that two may have the same port. `localhost` keeps what all know it by. */
export function waysFor(allow: readonly Destination[]): Way[] {
  const hosts = [...new Set(allow.map(({ host }) => host))].filter((host) => host !== 'localhost');
  return allow.map((each) => ({
    ...each,
    address: each.host === 'localhost' ? '127.0.0.1' : `127.77.0.${hosts.indexOf(each.host) + 1}`,
  }));
}

/** Written where they are not there yet. Names that are not among `ways` lead nowhere, and nobody is asked for them. */
export function nameFilesFor(state: string, ways: readonly Way[]): NameFiles {
  const folder = path.join(state, 'names');
  const hosts = hostsText(ways);
  const digest = createHash('sha256').update(hosts).digest('hex').slice(0, 16);
  return {
    hosts: keepFile(path.join(folder, `${digest}.hosts`), hosts),
    resolv: keepFile(path.join(folder, 'resolv.conf'), resolvText),
    nsswitch: keepFile(path.join(folder, 'nsswitch.conf'), nsswitchText),
  };
}

function hostsText(ways: readonly Way[]): string {
  const lines = ways.map(({ address, host }) => `${address} ${host}\n`);
  return [...new Set(['127.0.0.1 localhost\n', ...lines])].join('');
}

/** In a network of its own nobody answers there, which is found out at once. Without any, some wait for long. */
const resolvText = 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n';
const nsswitchText = ['passwd', 'group', 'shadow', 'hosts', 'networks', 'protocols', 'services', 'ethers']
  .map((table) => `${table}: files\n`)
  .join('');
