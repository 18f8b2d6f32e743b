import type { ServerResponse } from 'node:http';
import type { SessionStream } from '../sessions/resumable-stream.ts';

/** A stream whose reader does not keep up with so much is closed rather than kept in memory. */
const maxBufferedBytes = 8 * 1024 * 1024;

const headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};
const before = Buffer.from('event: message\ndata: ');
const after = Buffer.from('\n\n');

/** Up to this much is copied into one piece, which goes out in one write. */
const joinUpTo = 64 * 1024;

/** Server-sent events on one response; each message is one event, sent as the bytes that came. */
export interface EventStream extends SessionStream {
  /** False once the client is gone or too slow. */
  write(message: readonly Buffer[], eventId?: string): boolean;
  /** An event of another kind, or the id to begin with: `fields` are its lines. */
  writeEvent(fields: readonly string[]): void;
  /** Keeps the connection and the proxies on its way awake. */
  comment(text?: string): void;
  /** Let the client know at once that the stream is open, where nothing is written yet. */
  flush(): void;
  close(): void;
}

/** The head goes out with what is written first. */
export function openEventStream(
  response: ServerResponse,
  extra: Readonly<Record<string, string>> = {},
): EventStream {
  response.writeHead(200, { ...headers, ...extra });
  const isOpen = () => !response.writableEnded && !response.destroyed;
  const keepsUp = createPatience(response);
  const gather = createGatherer(response);
  return {
    write(message, eventId) {
      if (!isOpen()) return false;
      if (!keepsUp(gather(), sizeOf(message))) {
        response.destroy();
        return false;
      }
      const start = eventId === undefined ? before : Buffer.from(`id: ${eventId}\nevent: message\ndata: `);
      for (const part of joined([start, ...message, after])) response.write(part);
      return true;
    },
    writeEvent(fields) {
      if (isOpen()) response.write(`${fields.join('\n')}\n\n`);
    },
    comment(text = 'alive') {
      if (isOpen()) response.write(`: ${text}\n\n`);
    },
    flush() {
      if (isOpen()) response.flushHeaders();
    },
    close() {
      if (!response.writableEnded) response.end();
    },
  };
}

/**
 * What is said in one turn of the event loop leaves in one piece: most of what a small event costs is its way into the
 * kernel, and progress often comes together with the answer. Corked is the socket: a corked response loses events on Node 24.
 * Returns whether a turn begins.
 */
function createGatherer({ socket }: ServerResponse): () => boolean {
  let isGathering = false;
  const release = (): void => {
    isGathering = false;
    socket?.uncork();
  };
  return () => {
    if (isGathering) return false;
    if (!socket) return true;
    isGathering = true;
    socket.cork();
    setImmediate(release);
    return true;
  };
}

/**
 * Does the reader keep up? Asked with the size of each message, and whether it is the first of its turn. What is said in
 * one turn nobody can have read before the turn is over, and one answer alone may be larger than the bound: so what counts
 * is what was left before the turn, beyond the most that one turn has added to it.
 */
function createPatience(response: ServerResponse): (isNewTurn: boolean, size: number) => boolean {
  let saidInTurn = 0;
  let mostInTurn = 0;
  return (isNewTurn, size) => {
    if (isNewTurn) {
      saidInTurn = 0;
      const left = response.writableLength;
      if (left > maxBufferedBytes + mostInTurn) return false;
      if (left <= maxBufferedBytes) mostInTurn = 0;
    }
    saidInTurn += size;
    mostInTurn = Math.max(mostInTurn, saidInTurn);
    return true;
  };
}

/** What a client can name to go on from, before the first message (2025-11-25 transports, "Sending Messages"). */
export function prime(stream: EventStream, eventId: string, retryMs: number): void {
  stream.writeEvent([`id: ${eventId}`, `retry: ${retryMs}`, 'data: ']);
}

const sizeOf = (parts: readonly Buffer[]) => parts.reduce((total, part) => total + part.length, 0);

function joined(parts: readonly Buffer[]): readonly Buffer[] {
  const size = sizeOf(parts);
  return size <= joinUpTo ? [Buffer.concat(parts, size)] : parts;
}
