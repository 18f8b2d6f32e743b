import { StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernPipe } from '@modelcontextprotocol/client/stdio';
import { StdioClientTransport as LegacyPipe } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as LegacyHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { fixture } from '../../support/start-proxy.ts';
import { type Cell } from './cell.ts';
import { type EraClient, everything, type Options } from './era-client.ts';
import { connectFirst } from './first-generation.ts';
import { openRawHttp, openRawPipe, modernVersion, type RawPeer } from './raw-peer.ts';
import { connectSecond } from './second-generation.ts';

/** How a client asks, as its users write it. */
export type Generation = 'sdk 1.x' | 'sdk 2.x default' | 'sdk 2.x auto' | 'sdk 2.x pinned';

export interface Door {
  readonly url: string;
  /** Of two principals of one tenant. */
  readonly keys: readonly [string, string];
}

export interface Stage {
  readonly cell: Cell;
  /** Can do all a client can. */
  readonly client: EraClient;
  /** Says that it can do nothing. */
  plain(): Promise<EraClient>;
  /** A principal of the same tenant that is another's. Without a proxy: another process. */
  stranger(): Promise<EraClient>;
  /** Another client of the same principal. */
  second(): Promise<EraClient>;
  raw(): Promise<RawPeer>;
  rawStranger(): Promise<RawPeer>;
  close(): Promise<void>;
}

type Connect = (options: Options, principal: 0 | 1) => Promise<EraClient>;

/** A stage whose clients come through the proxy. */
export function openStage(cell: Cell, generation: Generation, { url, keys }: Door): Promise<Stage> {
  const connect: Connect = (options, principal) => {
    const requestInit = { headers: { Authorization: `Bearer ${keys[principal]}` } };
    if (generation === 'sdk 1.x') return connectFirst(new LegacyHttp(new URL(url), { requestInit }), options);
    return connectSecond(new ModernHttp(new URL(url), { requestInit }), options, modeOf(generation));
  };
  return build(cell, connect, (principal) => openRawHttp(url, keys[principal], cell.client, everything));
}

/** A stage whose clients have each a process of the server to themselves, and nothing between. */
export function openDirectStage(cell: Cell, generation: Generation): Promise<Stage> {
  const program = fixture(`${cell.worker}-everything`);
  const server = { command: process.execPath, args: [program], stderr: 'ignore' as const };
  const connect: Connect = (options) =>
    generation === 'sdk 1.x'
      ? connectFirst(new LegacyPipe(server), options)
      : connectSecond(new ModernPipe(server), options, modeOf(generation));
  return build(cell, connect, () => openRawPipe(program, cell.client, everything));
}

const modeOf = (generation: Generation) =>
  generation === 'sdk 2.x pinned'
    ? { pin: modernVersion }
    : generation === 'sdk 2.x auto'
      ? 'auto'
      : 'legacy';

async function build(
  cell: Cell,
  connect: Connect,
  openRaw: (principal: 0 | 1) => Promise<RawPeer>,
): Promise<Stage> {
  const open: { close(): Promise<void> }[] = [];
  const kept = <Value extends { close(): Promise<void> }>(make: () => Promise<Value>) => {
    let made: Promise<Value> | undefined;
    return () =>
      (made ??= make().then((value) => {
        open.push(value);
        return value;
      }));
  };
  const client = await kept(() => connect({ name: 'ada', capabilities: everything }, 0))();
  return {
    cell,
    client,
    plain: kept(() => connect({ name: 'plain', capabilities: {} }, 0)),
    stranger: kept(() => connect({ name: 'eve', capabilities: everything }, 1)),
    second: kept(() => connect({ name: 'alan', capabilities: everything }, 0)),
    raw: kept(() => openRaw(0)),
    rawStranger: kept(() => openRaw(1)),
    close: async () => {
      await Promise.all(open.map((each) => each.close().catch(() => undefined)));
    },
  };
}
