import { passwordIn } from './resolve.ts';

/** What issuers begin their keys with, so that they are recognised where they should not be. */
const issued: readonly RegExp[] = [
  /\bmcpx_[A-Za-z0-9]+_[A-Za-z0-9]{16,}/,
  /\b(?:sk|pk|rk)[-_](?:live|test|proj|ant|or)[-_][A-Za-z0-9_-]{10,}/,
  /\bsk-[A-Za-z0-9]{20,}/,
  /\bgh[pousr]_[A-Za-z0-9]{20,}/,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/,
  /\bgl(?:pat|ptt|dt|rt)-[A-Za-z0-9_-]{16,}/,
  /\bxox[abeprs]-[A-Za-z0-9-]{10,}/,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/,
  /\bAIza[A-Za-z0-9_-]{30,}/,
  /\bya29\.[A-Za-z0-9_-]{20,}/,
  /\bnpm_[A-Za-z0-9]{30,}/,
  /\bhv[sbr]\.[A-Za-z0-9_-]{20,}/,
  /\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}/,
  /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\./,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
];

/** Letters of all kinds in no order, as generators make them. */
const minRandomChars = 32;
const minRandomBits = 4.2;

/** Does a text look like a credential, whatever it is called? */
export function looksLikeCredential(text: string): boolean {
  if (issued.some((pattern) => pattern.test(text))) return true;
  if (passwordIn(text) !== undefined) return true;
  return text.split(/[\s"'=:,;]+/).some(isRandom);
}

function isRandom(word: string): boolean {
  const isMixed = /[a-z]/.test(word) && /[A-Z]/.test(word) && /\d/.test(word);
  if (word.length < minRandomChars || !isMixed || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(word)) return false;
  return bitsPerLetter(word) >= minRandomBits;
}

/** Shannon's entropy. */
function bitsPerLetter(word: string): number {
  const counts = new Map<string, number>();
  for (const letter of word) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / word.length) * Math.log2(count / word.length);
  return bits;
}
