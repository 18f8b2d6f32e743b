import type { Readable } from 'node:stream';

/** The last words of a process: at most `maxBytes` of its stderr, older text is dropped. */
export function stderrTail(stream: Readable, maxBytes = 64 * 1024): () => string {
  let chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size <= maxBytes * 2) return;
    const kept = Buffer.concat(chunks).subarray(-maxBytes);
    chunks = [Buffer.from(kept)];
    size = kept.length;
  });
  stream.on('error', () => undefined);
  return () => Buffer.concat(chunks).subarray(-maxBytes).toString('utf8');
}
