import { type Message, readMessage } from '../../../src/mcp/message.ts';
import { type Edit, splice } from '../../../src/mcp/splice.ts';

/** A server's response as it came; `member` is JSON text: `"result":…` or `"error":…`. */
export const responseWith = (member: string): Message =>
  readMessage(Buffer.from(`{"jsonrpc":"2.0","id":7,${member}}`), 256);

export const responseOf = (result: unknown): Message => responseWith(`"result":${JSON.stringify(result)}`);

/** A message with edits in it, as text. */
export const edited = ({ bytes }: Message, edits: readonly Edit[]): string =>
  Buffer.concat(splice(bytes, edits)).toString();

/** What stands in `result` of a response. */
export const resultIn = (text: string): unknown => (JSON.parse(text) as { result: unknown }).result;

/** What a parser would change, as members of an object. */
export const oddMembers =
  '"big":12345678901234567890123,"huge":1e400,"minus":-0,"exact":1.0,"text":"\\u0000\\ud800 \u2028 é \\/ \\u00e9 😀","unknown":{"__proto__":{"x":1},"":null}';
