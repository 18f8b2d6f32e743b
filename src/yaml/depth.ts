/** Deeper than any sound settings; a parser that calls itself once for each level overflows its stack beyond. */
const maxBrackets = 100;
/** Lists in lists, or explicit keys, on one line: `- - - x`. */
const nestedIndicators = /(?:[-?:][ \t]+){40}/;

/**
 * Where a text that is nested without end goes too deep, counted in characters; undefined for any other. Looked at before
 * it is parsed, because an overflow inside a parser cannot always be caught. Brackets in quotes count too: a hundred open
 * ones are no setting either.
 */
export function tooDeepAt(text: string): number | undefined {
  let open = 0;
  for (const { 0: bracket, index } of text.matchAll(/[[\]{}]/g)) {
    open = bracket === '[' || bracket === '{' ? open + 1 : Math.max(0, open - 1);
    if (open > maxBrackets) return index;
  }
  return nestedIndicators.exec(text)?.index;
}

export const tooDeepMessage = 'This is nested without end; look for a bracket that is not closed';
