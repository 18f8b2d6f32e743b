/** Deeper than any sound settings; a parser that calls itself once for each level overflows its stack beyond. */
const maxBrackets = 100;
/** Lists in lists, or explicit keys, on one line: `- - - x`. */
const nestedIndicators = /(?:[-?:][ \t]+){40}/;

/**
 * Is the text nested without end? Looked at before it is parsed, because an overflow inside a parser cannot always be
 * caught. Brackets in quotes count too: a hundred open ones are no setting either.
 */
export function isNestedWithoutEnd(text: string): boolean {
  let open = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    open = bracket === '[' || bracket === '{' ? open + 1 : Math.max(0, open - 1);
    if (open > maxBrackets) return true;
  }
  return nestedIndicators.test(text);
}

export const tooDeepMessage = 'This is nested without end; look for a bracket that is not closed';
