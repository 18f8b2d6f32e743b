import { plainText } from '../text/plain-text.ts';

export const maxFieldChars = 256;
/** What an operator reads first may be longer: a server's last words, what to do for a stronger wall. */
export const maxLongChars = 2048;

/**
 * Text from outside (a client's name, a server's stderr) made safe for one line of a log.
 * `keepEnd` cuts the beginning instead of the end: of a tail the last lines matter.
 */
export function clean(text: string, maxChars: number, keepEnd = false): string {
  // Bounded before the pattern runs, so that a huge text costs no more than a small one.
  const bounded = text.length > maxChars * 4 ? cut(text, maxChars * 4, keepEnd) : text;
  const plain = plainText(bounded).trim();
  return plain.length > maxChars ? cut(plain, maxChars, keepEnd) : plain;
}

/** A word that is longer is cut itself. */
const maxWordChars = 32;

function cut(text: string, maxChars: number, keepEnd: boolean): string {
  if (keepEnd) return `…${text.slice(1 - maxChars)}`;
  const start = text.slice(0, maxChars - 1);
  // Between two words, where there is such a place near the end.
  const blank = start.lastIndexOf(' ');
  return `${blank < start.length - maxWordChars ? start : start.slice(0, blank).trimEnd()}…`;
}
