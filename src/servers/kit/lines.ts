import type { Readable } from 'node:stream';

/** A longer line ends the process: nobody sends it by accident. Room for a file of 10 MB in base64. */
const maxLineBytes = 32 * 1024 ** 2;
const newline = 0x0a;

/** Gives each line without its end; settles when the input has ended. Rejects where a line is too long. */
export async function readLines(input: Readable, onLine: (line: string) => void): Promise<void> {
  let pieces: Buffer[] = [];
  let size = 0;
  for await (const chunk of input as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      pieces.push(chunk.subarray(from, end));
      const line = Buffer.concat(pieces).toString('utf8').trim();
      if (line !== '') onLine(line);
      pieces = [];
      size = 0;
      from = end + 1;
    }
    const rest = chunk.subarray(from);
    size += rest.length;
    if (size > maxLineBytes) throw new Error('A line on stdin is too long');
    if (rest.length > 0) pieces.push(rest);
  }
}
