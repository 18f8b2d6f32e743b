/** Takes a byte stream apart into lines (stdio transport, every revision: one message per line). */
export interface LineSplitter {
  push(chunk: Buffer): void;
  /** What came after the last line break. */
  readonly pendingBytes: number;
}

/**
 * `onLine` gets each line without its break (`\n` or `\r\n`); empty lines are passed over.
 * A line of more than `maxBytes` calls `onTooLong` once, and nothing more is read.
 * Pieces of a line are kept in a list and joined once, so time is linear whatever the chunks are.
 */
export function splitLines(
  maxBytes: number,
  onLine: (line: Buffer) => void,
  onTooLong: () => void,
): LineSplitter {
  let pieces: Buffer[] = [];
  let pending = 0;
  let stopped = false;

  function end(last: Buffer): void {
    const line = pieces.length === 0 ? last : Buffer.concat([...pieces, last]);
    pieces = [];
    pending = 0;
    const length = line[line.length - 1] === 0x0d ? line.length - 1 : line.length;
    if (length > maxBytes) tooLong();
    else if (length > 0) onLine(length === line.length ? line : line.subarray(0, length));
  }

  function tooLong(): void {
    stopped = true;
    pieces = [];
    onTooLong();
  }

  return {
    push(chunk) {
      let from = 0;
      while (!stopped) {
        const at = chunk.indexOf(0x0a, from);
        const size = (at === -1 ? chunk.length : at) - from;
        // One more than allowed, for a `\r` that is not part of the line.
        if (pending + size > maxBytes + 1) {
          tooLong();
          return;
        }
        if (at === -1) {
          if (size > 0) pieces.push(chunk.subarray(from));
          pending += size;
          return;
        }
        end(chunk.subarray(from, at));
        from = at + 1;
      }
    },
    get pendingBytes() {
      return pending;
    },
  };
}
