import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { ProxyError } from '../calls/error.ts';
import type { MirroredParameter } from '../calls/upstream.ts';
import { memberOf, membersOf } from '../mcp/members.ts';
import { methods } from '../mcp/methods.ts';
import { type Message, paramsOf, stringOf } from '../mcp/message.ts';
import { header } from './mcp-headers.ts';

/** The part of the body that `Mcp-Name` repeats (2026-07-28 transports/streamable-http, "Standard Request Headers"). */
const namedBy: ReadonlyMap<string, 'name' | 'uri'> = new Map([
  [methods.callTool, 'name'],
  [methods.getPrompt, 'name'],
  [methods.readResource, 'uri'],
]);

export const mismatch = (message: string) => new ProxyError('HEADER_MISMATCH', message);

/** @throws {ProxyError} HEADER_MISMATCH ("Server Validation") */
export function checkStandardHeaders(request: IncomingMessage, message: Message): void {
  if (header(request, 'mcp-protocol-version') === undefined)
    throw mismatch('MCP-Protocol-Version is missing');
  if (header(request, 'mcp-method') === undefined) throw mismatch('Mcp-Method is missing');
  const source = namedBy.get(message.method);
  const name = source === undefined ? undefined : stringOf(message, message[source]);
  // A body without a name is for the server to refuse.
  if (name === undefined) return;
  const given = header(request, 'mcp-name');
  if (given === undefined) throw mismatch('Mcp-Name is missing');
  if (decoded(given) !== name) throw mismatch(`Mcp-Name is not \`params.${source ?? ''}\``);
}

/** Compares `Mcp-Param-…` headers with the arguments of a call. @throws {ProxyError} HEADER_MISMATCH ("Server Behavior for Custom Headers") */
export function checkMirrored(
  request: IncomingMessage,
  message: Message,
): (parameters: readonly MirroredParameter[]) => void {
  return (parameters) => {
    if (parameters.length === 0) return;
    const { arguments: given } = paramsOf(message);
    for (const { header: name, path } of parameters) {
      const value = valueAt(given, path);
      // What cannot be said in a header: the server will have its own word on it.
      if (value === undefined || value === null || typeof value === 'object') continue;
      const text = header(request, name);
      if (text === undefined) throw mismatch(`${name} is missing, but the call has this parameter`);
      const said = decoded(text);
      if (said === undefined) throw mismatch(`${name} is not spelled as it must be`);
      if (!isSame(said, value, () => spellingAt(message, path)))
        throw mismatch(`${name} is not what the call says`);
    }
  };
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** How an argument that is there is written in the body. */
function spellingAt({ bytes, params }: Message, path: readonly string[]): string | undefined {
  let span = params;
  for (const key of ['arguments', ...path]) span = span && memberOf(membersOf(bytes, span), key);
  return span && bytes.toString('utf8', span.start, span.end);
}

function isSame(said: string, value: unknown, spelling: () => string | undefined): boolean {
  if (typeof value === 'string') return said === value;
  if (typeof value === 'boolean') return said === String(value);
  // Many large numbers are one and the same here, and may be different ones to the server.
  if (Math.abs(Number(value)) > Number.MAX_SAFE_INTEGER) return said === spelling();
  return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(said) && Number(said) === value;
}

const base64 = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;

/** What a header says ("Value Encoding"); undefined if it is not spelled as it must be. */
function decoded(text: string): string | undefined {
  if (text.startsWith('=?base64?') && text.endsWith('?=')) {
    const encoded = base64.exec(text)?.[1];
    if (encoded === undefined || encoded.length % 4 !== 0) return undefined;
    const bytes = Buffer.from(encoded, 'base64');
    // Node is lenient where the specification is not.
    return bytes.toString('base64') === encoded && isUtf8(bytes) ? bytes.toString() : undefined;
  }
  return /^[\t\x20-\x7e]*$/.test(text) ? text : undefined;
}
