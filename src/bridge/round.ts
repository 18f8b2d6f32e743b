import { changeMembers, memberOf, membersOf } from '../mcp/members.ts';
import { type Message, readMessage, textOf } from '../mcp/message.ts';
import { methods } from '../mcp/methods.ts';
import { idTextOf } from '../mcp/own-answer.ts';
import type { Span } from '../mcp/scanner.ts';
import { splice } from '../mcp/splice.ts';

/** The answer to `request` that hands out questions, each under its key; the call waits for it to come again. */
export function inputRequired(
  request: Message,
  questions: ReadonlyMap<string, Message>,
  state: string,
): Buffer {
  const requests = [...questions].map(([key, { bytes, method, params }]) => {
    const own = params ? `,"params":${paramsText(bytes, params)}` : '';
    return `"${key}":{"method":${JSON.stringify(method)}${own}}`;
  });
  return Buffer.from(
    `{"jsonrpc":"2.0","id":${idTextOf(request)},"result":{"resultType":"input_required",` +
      `"inputRequests":{${requests.join(',')}},"requestState":${JSON.stringify(state)}}}`,
    'latin1',
  );
}

/** 2026-07-28 has no id for a page that is to be opened: nobody is told when it is done with. */
function paramsText(bytes: Buffer, params: Span): string {
  const members = membersOf(bytes, params);
  const mode = memberOf(members, 'mode');
  if (!mode || textOf(bytes, mode) !== '"url"') return textOf(bytes, params);
  const edits = changeMembers(params, members, (key) => key === 'elicitationId');
  const changed = Buffer.concat(splice(bytes.subarray(0, params.end), edits));
  return changed.toString('latin1', params.start);
}

/** No deeper than what a worker says. */
const maxDepth = 256;

/**
 * What a worker says of a call, as it is told on the stream of `request`, a later one than the call began with: progress
 * goes under the token of that. Undefined if it asks for none.
 */
export function toldIn(request: Message, parts: readonly Buffer[]): readonly Buffer[] | undefined {
  const { bytes, method, token } = readMessage(Buffer.concat(parts), maxDepth);
  if (method !== methods.progress || !token) return parts;
  const { metaToken } = request;
  return metaToken && splice(bytes, [{ span: token, text: textOf(request.bytes, metaToken) }]);
}
