import { connect, type Socket } from 'node:net';
import { eventually } from './eventually.ts';

/** A connection on which every byte is the test's own, where an HTTP client would mend what is broken. */
export interface RawSocket {
  /** All that came so far. */
  readonly received: string;
  write(bytes: string | Buffer): void;
  /** From now on nothing is read. */
  pause(): void;
  /** Waits for what came to satisfy `test`, and gives all of it. */
  until(test: (received: string) => boolean, withinMs?: number): Promise<string>;
  /** Settles with all that came once the other side has closed. */
  readonly closed: Promise<string>;
  destroy(): void;
}

export function openRawSocket(url: string): Promise<RawSocket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => resolve(wrapped(socket)));
    socket.once('error', reject);
  });
}

function wrapped(socket: Socket): RawSocket {
  let received = '';
  socket.setEncoding('latin1');
  socket.on('data', (piece: string) => (received += piece));
  // A reset ends it as well as a goodbye does; 'close' follows either.
  socket.on('error', () => undefined);
  const closed = new Promise<string>((resolve) => {
    socket.once('close', () => {
      resolve(received);
    });
  });
  return {
    get received() {
      return received;
    },
    write: (bytes) => void socket.write(bytes),
    pause: () => void socket.pause(),
    until: (test, withinMs) => eventually(() => test(received) && received, withinMs),
    closed,
    destroy: () => void socket.destroy(),
  };
}

/** One HTTP request as text; `lines` are its headers. */
export const requestText = (lines: readonly string[], body = '', start = 'POST /mcp HTTP/1.1'): string =>
  `${[start, ...lines].join('\r\n')}\r\n\r\n${body}`;
