import { type Message, textOf } from './message.ts';

/** The text of a request's id as the client wrote it; `null` where there is none. */
export const idTextOf = ({ bytes, id }: Message) => (id ? textOf(bytes, id) : 'null');

/**
 * A JSON-RPC answer of the proxy's own. `idText` has one character per byte, so that the id comes back as it was;
 * undefined leaves it out.
 */
export function ownAnswer(idText: string | undefined, member: 'result' | 'error', value: unknown): Buffer {
  const id = idText === undefined ? '' : `"id":${idText},`;
  return Buffer.concat([
    Buffer.from(`{"jsonrpc":"2.0",${id}"${member}":`, 'latin1'),
    Buffer.from(`${JSON.stringify(value)}}`),
  ]);
}
