import { isUtf8 } from 'node:buffer';
import { endOf } from './place.ts';
import type { Problem } from './problem.ts';

/**
 * The text of a file. What is not UTF-8 is a problem: read as it was not meant it would be another value, and a
 * credential that nobody has written.
 */
export function decodeText(
  bytes: Buffer,
  file: string,
): { readonly text: string } | { readonly problem: Problem } {
  const text = bytes.toString('utf8');
  if (isUtf8(bytes)) return { text };
  const place = endOf(text.slice(0, firstBroken(bytes, text)));
  const message = 'It is not UTF-8 from here on: save it in that encoding';
  return { problem: { file, ...place, code: 'YAML_SYNTAX', message } };
}

/** Where the first character stands that takes the place of bytes that are none. */
function firstBroken(bytes: Buffer, text: string): number {
  let at = text.indexOf('\ufffd');
  // Somebody may have written that character itself.
  for (let size = sizeOf(text, at); bytes.subarray(size, size + 3).equals(written); size = sizeOf(text, at))
    at = text.indexOf('\ufffd', at + 1);
  return at;
}

const written = Buffer.from('\ufffd');
const sizeOf = (text: string, end: number) => Buffer.byteLength(text.slice(0, end));
