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
      response.cork();
      response.write(before);
      for (const part of message) response.write(part);
      response.write(after);
      process.nextTick(() => {
        response.uncork();
      });
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
