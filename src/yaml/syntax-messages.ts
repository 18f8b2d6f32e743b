import type { ErrorCode } from 'yaml';

/**
 * The parser's own messages quote the text they stumbled over, which may be a secret; these say the same without it.
 * Codes that are not here get `fallback`.
 */
const messages: Readonly<Partial<Record<ErrorCode, string>>> = {
  BAD_INDENT: 'The indentation does not fit; align it with the lines around it',
  TAB_AS_INDENT: 'Indent with blanks, not with tabs',
  DUPLICATE_KEY: 'This key stands twice in the same place; keep one of them',
  MISSING_CHAR: 'A quote, bracket, comma or colon is missing here or just before',
  BAD_SCALAR_START: 'Put this value in quotes: it begins with a character that has a meaning in YAML',
  BAD_DQ_ESCAPE: 'Unknown escape after "\\"; use single quotes if the "\\" is meant as it is',
  BLOCK_AS_IMPLICIT_KEY: 'Put this value in quotes: a ": " in it reads as another key',
  MULTILINE_IMPLICIT_KEY: 'A key must stand on one line; a colon or a quote may be missing here',
  MULTIPLE_DOCS: 'One document per file: take out the "---"',
  NON_STRING_KEY: 'A key must be a text',
  BAD_ALIAS: 'Put this value in quotes if it should begin with "*" or "&"',
  TAG_RESOLVE_FAILED: 'Tags ("!…") are not read here; put the value in quotes if it should begin with "!"',
  BAD_DIRECTIVE: 'Directives ("%…") are not read here',
};
const fallback = 'This is not YAML; look at the indentation, the quotes and the colons here';

export function syntaxMessage(code: ErrorCode): string {
  return messages[code] ?? fallback;
}
