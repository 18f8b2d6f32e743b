import type { Server, Socket } from 'node:net';
import type { Destination } from './destination.ts';
import type { Unreached } from './egress-messages.ts';
import type { Resolve } from './way-out.ts';
import { wayOut } from './way-out.ts';

/** Connections that one server may have at once, to all its destinations; fewer where many servers share what there is. */
const most = { ofOne: 256, leastOfOne: 8, ofAll: 8192 };
/** Two for each connection, and as many again for listeners and names that are looked up. */
const descriptorsEach = 4;
/** How often it is told that one destination is not reached, in milliseconds. */
const tellEveryMs = 10_000;

export interface PassageParts {
  readonly to: Destination;
  readonly resolve: Resolve;
  /** Sockets of the server, at all its passages. */
  readonly open: Set<Socket>;
  /** How many it may have now. */
  readonly allowed: () => number;
  readonly unreached: (told: Unreached) => void;
}

/**
 * How many connections each of so many servers may have, where a process may have so many descriptors: one tenant's servers
 * must leave some to all others.
 */
export function connectionsEach(servers: number, descriptors: number): number {
  const ofAll = Math.min(most.ofAll, descriptors / descriptorsEach);
  return Math.max(most.leastOfOne, Math.min(most.ofOne, Math.floor(ofAll / servers)));
}

/** Leads whoever connects to a listener to its destination, byte by byte, until both sides have ended. */
export function openPassage(listener: Server, parts: PassageParts): void {
  const tell = createTelling(parts);
  // One side may have said all and still listen. It came without its options.
  Object.assign(listener, { allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  listener.on('connection', (inner: Socket) => void lead(inner, parts, tell));
  // Nothing can be accepted for the moment, for want of descriptors.
  listener.on('error', () => undefined);
}

async function lead(inner: Socket, parts: PassageParts, tell: (reason: string) => void): Promise<void> {
  const { open, to, resolve, allowed } = parts;
  inner.on('error', () => undefined);
  if (open.size >= allowed()) {
    tell(`it has ${open.size} connections already`);
    inner.resetAndDestroy();
    return;
  }
  open.add(inner);
  inner.once('close', () => open.delete(inner));
  try {
    join(inner, await wayOut(to, resolve));
  } catch (thrown) {
    if (inner.destroyed) return;
    tell(thrown instanceof Error ? thrown.message : 'unknown');
    inner.resetAndDestroy();
  }
}

/** What comes too fast for the other side waits in the kernel: `pipe` reads no more than is taken. */
function join(inner: Socket, outer: Socket): void {
  outer.on('error', () => inner.resetAndDestroy());
  inner.once('close', () => outer.destroy());
  outer.once('close', () => inner.destroy());
  if (inner.destroyed) {
    outer.destroy();
    return;
  }
  inner.on('error', () => outer.resetAndDestroy());
  inner.pipe(outer);
  outer.pipe(inner);
}

function createTelling({ to, unreached }: PassageParts): (reason: string) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  let suppressed = 0;
  return (reason) => {
    const now = performance.now();
    if (now - toldAt < tellEveryMs) {
      suppressed += 1;
      return;
    }
    toldAt = now;
    unreached({ ...to, reason, suppressed });
    suppressed = 0;
  };
}
