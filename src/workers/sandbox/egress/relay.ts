/**
 * The relay: a process of the keeper's that leads servers behind an allow-list to the hosts on it. It holds their
 * listeners, which are in the servers' own networks, and connects in the machine's. One of its own, so that what servers send
 * and receive holds up neither calls nor starts. It ends with the keeper.
 */
import { readFileSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { closeInherited } from '../inherited.ts';
import type { FromRelay, ToRelay } from './egress-messages.ts';
import { connectionsEach, openPassage } from './passage.ts';
import { createResolve, type Resolve } from './way-out.ts';

closeInherited();

/** What one server has here. */
interface Kept {
  readonly listeners: Server[];
  readonly open: Set<Socket>;
  /** Its own, so that nobody waits for what another has asked for. */
  readonly resolve: Resolve;
}

const kept = new Map<number, Kept>();
/** Node takes as many as it may when it starts. */
const descriptors = Number(
  /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? Infinity,
);
const allowed = (): number => connectionsEach(kept.size, descriptors);

function tell(message: FromRelay): void {
  if (process.connected) process.send?.(message);
}

function open({ id, at, to }: Extract<ToRelay, { type: 'open' }>, listener: Server): void {
  const one = kept.get(id) ?? { listeners: [], open: new Set(), resolve: createResolve() };
  kept.set(id, one);
  one.listeners.push(listener);
  const unreached = (told: object): void =>
    tell({ type: 'unreached', id, ...told } as Extract<FromRelay, { type: 'unreached' }>);
  openPassage(listener, { to, resolve: one.resolve, open: one.open, allowed, unreached });
  tell({ type: 'opened', id, at });
}

function close(id: number): void {
  const one = kept.get(id);
  kept.delete(id);
  for (const listener of one?.listeners ?? []) listener.close();
  for (const socket of one?.open ?? []) socket.destroy();
}

process.on('message', (message: ToRelay, listener: Server | undefined) => {
  if (message.type === 'close') close(message.id);
  else if (listener) open(message, listener);
});
// As the keeper has it of the proxy: the end of its stdin is the keeper's end.
process.stdin.once('close', () => process.exit()).resume();
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => undefined);
