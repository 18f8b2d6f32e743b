import { Writable } from 'node:stream';
import { createInterface } from 'node:readline/promises';
import type { Terminal } from './terminal.ts';

/** Where a value is typed or piped in. */
export type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/** More is no secret; what is piped in without end must not fill the memory. */
const maxInputBytes = 1024 * 1024;

/** A value from stdin: asked for without showing it, or what is piped in, without the line end that `echo` puts there. */
export async function readValue(terminal: Terminal, input: Input, question: string): Promise<string> {
  if (input.isTTY === true) return askHidden(terminal, input, question);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    size += bytes.length;
    if (size > maxInputBytes) break;
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

async function askHidden(terminal: Terminal, input: Input, question: string): Promise<string> {
  const nowhere = new Writable({
    write: (_chunk, _encoding, written) => {
      written();
    },
  });
  const lines = createInterface({ input, output: nowhere, terminal: true });
  terminal.err(`${question} (not shown): `);
  // Ctrl-C or Ctrl-D: nothing was typed.
  const closed = new Promise<string>((resolve) => {
    lines.once('close', () => {
      resolve('');
    });
  });
  const value = await Promise.race([lines.question(''), closed]);
  lines.close();
  terminal.err('\n');
  return value;
}
