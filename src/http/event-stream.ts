import type { ServerResponse } from 'node:http';

/** A stream whose reader does not keep up is closed rather than kept in memory. */
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
export interface EventStream {
  /** False once the client is gone or too slow. */
  write(message: readonly Buffer[]): boolean;
  /** Keeps the connection and the proxies on its way awake. */
  comment(): void;
  close(): void;
}

export function openEventStream(
  response: ServerResponse,
  extra: Readonly<Record<string, string>> = {},
): EventStream {
  response.writeHead(200, { ...headers, ...extra });
  response.flushHeaders();
  return {
    write(message) {
      if (response.writableEnded || response.destroyed) return false;
      if (response.writableLength > maxBufferedBytes) {
        response.destroy();
        return false;
      }
      for (const part of joined([before, ...message, after])) response.write(part);
      return true;
    },
    comment() {
      if (!response.writableEnded && !response.destroyed) response.write(': alive\n\n');
    },
    close() {
      if (!response.writableEnded) response.end();
    },
  };
}

function joined(parts: readonly Buffer[]): readonly Buffer[] {
  const size = parts.reduce((total, part) => total + part.length, 0);
  return size <= joinUpTo ? [Buffer.concat(parts, size)] : parts;
}
