import type { Call } from '../calls/call.ts';
import { methods } from '../mcp/methods.ts';
import { type Message, textOf, valueOf } from '../mcp/message.ts';
import { memberOf, membersOf } from '../mcp/members.ts';
import type { Span } from '../mcp/scanner.ts';
import type { InputResponses } from './parking.ts';
import type { StateOwner } from './request-state.ts';

/** What a client sends when it comes back with what the server wanted to know (2026-07-28 basic/patterns/mrtr). */
export interface Retry {
  /** Undefined if it is not a text. */
  readonly state: string | undefined;
  /** Undefined if one of them is no object: no server may be given it as a result. */
  readonly responses: InputResponses | undefined;
}

/** Reads a request; undefined if it is no retry of one that was sealed here. */
export function readRetry(message: Message): Retry | undefined {
  if (!message.state || !message.params) return undefined;
  const state = valueOf(message, message.state);
  const { bytes, params } = message;
  const responses = memberOf(membersOf(bytes, params), 'inputResponses');
  return {
    state: typeof state === 'string' ? state : undefined,
    responses: responses ? readResponses(bytes, responses) : new Map(),
  };
}

function readResponses(bytes: Buffer, span: Span): InputResponses | undefined {
  const isObject = ({ start }: Span) => bytes[start] === 0x7b;
  const entries = membersOf(bytes, span);
  if (!isObject(span) || !entries.every(({ value }) => isObject(value))) return undefined;
  return new Map(entries.map(({ key, value }) => [key, textOf(bytes, value)]));
}

/** Whose state it is that this call comes to. */
export function ownerOf({ tenantId, keyName, server, message }: Call): StateOwner {
  const target = message.method === methods.readResource ? message.uri : message.name;
  return { tenantId, keyName, server, method: message.method, name: String(valueOf(message, target)) };
}
