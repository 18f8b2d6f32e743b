import type { Readable } from 'node:stream';

/**
 * The last words of a process: at most `maxBytes` of its stderr, older text is dropped. A line whose beginning was
 * dropped goes too, or at least its next half of all: the rest of a secret would not be known as one.
 */
export function stderrTail(stream: Readable, maxBytes = 64 * 1024): () => string {
  let chunks: Buffer[] = [];
  let size = 0;
  let isCut = false;
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size <= maxBytes * 2) return;
    const kept = Buffer.concat(chunks).subarray(-maxBytes);
    chunks = [Buffer.from(kept)];
    size = kept.length;
    isCut = true;
  });
  stream.on('error', () => undefined);
  return () => {
    const all = Buffer.concat(chunks);
    const tail = all.subarray(-maxBytes);
    const isWhole = !isCut && tail.length === all.length;
    return (isWhole ? tail : tail.subarray(safeStart(tail))).toString('utf8');
  };
}

/** Where the second line begins; the middle, if that comes before it. */
function safeStart(bytes: Buffer): number {
  const middle = Math.floor(bytes.length / 2);
  const newline = bytes.subarray(0, middle).indexOf(0x0a);
  return newline === -1 ? middle : newline + 1;
}
