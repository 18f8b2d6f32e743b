/**
 * `JSON.parse`, but whole numbers beyond 2^53 become texts: as numbers they would silently turn into other ids.
 * Throws SyntaxError like `JSON.parse`.
 */
export function parseJson(text: string): unknown {
  return JSON.parse(/\d{16}/.test(text) ? withLongIntegersQuoted(text) : text);
}

/** `undefined` where the text is no JSON. */
export function tryParseJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

const wholeNumber = /-?\d+(?![\d.eE])/y;
const anyNumber = /-?\d[\d.eE+-]*/y;

function withLongIntegersQuoted(text: string): string {
  let out = '';
  let copied = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text.charCodeAt(at);
    if (letter === 0x22) {
      at = endOfString(text, at);
    } else if (letter === 0x2d || (letter >= 0x30 && letter <= 0x39)) {
      const end = endOfNumber(anyNumber, text, at);
      if (endOfNumber(wholeNumber, text, at) === end && !Number.isSafeInteger(Number(text.slice(at, end)))) {
        out += `${text.slice(copied, at)}"${text.slice(at, end)}"`;
        copied = end;
      }
      at = Math.max(at, end - 1);
    }
  }
  return out + text.slice(copied);
}

function endOfNumber(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

/** Where the quote stands that ends the string beginning at `at`. */
function endOfString(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}
