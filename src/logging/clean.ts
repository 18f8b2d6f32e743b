import { plainText } from '../text/plain-text.ts';

export const maxFieldChars = 256;
/** A server's last words may be longer: they are what an operator reads first. */
export const maxTailChars = 2048;

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

function cut(text: string, maxChars: number, keepEnd: boolean): string {
  return keepEnd ? `…${text.slice(1 - maxChars)}` : `${text.slice(0, maxChars - 1)}…`;
}
