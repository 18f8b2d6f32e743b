import { type ParseResult } from 'libpg-query';
import { QueryRejected } from './rejection.ts';

/** PostgreSQL's own parser, as WebAssembly. */
export interface Parser {
  /**
   * @throws {QueryRejected} what is no SQL, or larger than the bounds below.
   * @throws {ParserBroken}
   */
  parse(sql: string, limits?: Limits): ParseResult;
}

interface Limits {
  readonly chars: number;
  readonly tokens: number;
}

/** The parser failed in a way that may have damaged its memory: nothing it says is to be believed any more. */
export class ParserBroken extends Error {
  override readonly name = 'ParserBroken';
}

/**
 * The parser is recursive and its stack has no guard: at several thousand levels it overwrites its own memory, and would
 * then read later queries wrongly. No level takes less than a token, so so many tokens are never too deep.
 */
export const bounds: Limits = { chars: 20_000, tokens: 2_000 };
/** For a query that qualifiers were put into: they make it longer, not deeper. */
export const sealedBounds: Limits = { chars: 200_000, tokens: 7_000 };

/** Loads the parser: 1.8 MB of WebAssembly and about 40 ms, so only when the first query comes. */
export async function loadParser(): Promise<Parser> {
  const { loadModule, parseSync, scanSync, hasSqlDetails } = await import('libpg-query');
  await loadModule();

  const attempt = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (thrown) {
      if (hasSqlDetails(thrown)) throw new QueryRejected(`PostgreSQL does not read this: ${thrown.message}`);
      // What the scanner says of a text it cannot take apart is no JSON, and its binding trips over that.
      if (thrown instanceof SyntaxError)
        throw new QueryRejected(
          'PostgreSQL does not read this: a text, a quoted name or a comment is not closed',
        );
      throw new ParserBroken('The SQL parser failed');
    }
  };

  return {
    parse(sql, { chars, tokens: maxTokens } = bounds) {
      if (sql.length > chars)
        throw new QueryRejected(`The query is longer than ${chars} characters; pass long values in params`);
      // To the parser a NUL is the end, to the wire protocol the beginning of the next field.
      if (sql.includes('\0')) throw new QueryRejected('The query has a NUL character in it');
      // Half a character is encoded in different ways by different programs: what is checked would not be what is sent.
      if (/\p{Surrogate}/u.test(sql)) throw new QueryRejected('The query is not well-formed Unicode');
      if (sql.trim() === '') throw new QueryRejected('The query is empty');
      const { tokens } = attempt(() => scanSync(sql));
      if (tokens.length > maxTokens)
        throw new QueryRejected(
          `The query has more than ${maxTokens} words; pass long lists as one parameter: id = ANY($1)`,
        );
      return attempt(() => parseSync(sql));
    },
  };
}
