import { memberOf, membersOf } from '../mcp/members.ts';
import type { Message } from '../mcp/message.ts';
import type { Span } from '../mcp/scanner.ts';
import type { Edit } from '../mcp/splice.ts';

/** The number of an error response; NaN if it has none. */
export function errorCodeOf(response: Message): number {
  const span = codeSpan(response);
  return span ? Number(response.bytes.toString('latin1', span.start, span.end)) : Number.NaN;
}

/** The error with another number, if `codes` has one for it. */
export function errorCodeEdit(response: Message, codes: ReadonlyMap<number, number>): readonly Edit[] {
  const span = codeSpan(response);
  const other = codes.get(errorCodeOf(response));
  return span && other !== undefined ? [{ span, text: String(other) }] : [];
}

function codeSpan({ bytes, error }: Message): Span | undefined {
  return error && memberOf(membersOf(bytes, error), 'code');
}
