import type { SessionStream } from '../../../src/sessions/resumable-stream.ts';

/** A listening client that takes `room` messages and no more. */
export function createStream(
  room = Number.POSITIVE_INFINITY,
): SessionStream & { readonly heard: string[]; isClosed(): boolean } {
  const heard: string[] = [];
  let isClosed = false;
  return {
    heard,
    isClosed: () => isClosed,
    write(message) {
      if (heard.length >= room) return false;
      heard.push(Buffer.concat(message).toString());
      return true;
    },
    close() {
      isClosed = true;
    },
  };
}
