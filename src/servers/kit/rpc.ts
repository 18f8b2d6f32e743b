import { parseJson } from './json.ts';

export type RequestId = string | number;

/** What a client can send. Answers to questions of ours are left out: this server asks none. */
export type Incoming =
  | { readonly kind: 'request'; readonly id: RequestId; readonly method: string; readonly params: Params }
  | { readonly kind: 'notification'; readonly method: string; readonly params: Params }
  | {
      readonly kind: 'broken';
      readonly id: RequestId | null;
      readonly code: number;
      readonly message: string;
    };

export type Params = Readonly<Record<string, unknown>>;

export const rpcErrors = {
  parse: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internal: -32_603,
  resourceNotFound: -32_002,
} as const;

/** One line as a message; undefined for what needs no answer at all. */
export function readMessage(line: string): Incoming | undefined {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return { kind: 'broken', id: null, code: rpcErrors.parse, message: 'The line is not JSON' };
  }
  if (!isObject(message) || message['jsonrpc'] !== '2.0') return notRpc(undefined);
  const { id, method } = message;
  if (typeof method !== 'string') return isId(id) ? undefined : notRpc(id);
  // Arguments once more, exactly: `12345678901234567890` must not become another record's id.
  const { params } = parseJson(line) as { params?: unknown };
  const given = isObject(params) ? params : {};
  if (id === undefined) return { kind: 'notification', method, params: given };
  return isId(id) ? { kind: 'request', id, method, params: given } : notRpc(id);
}

const notRpc = (id: unknown): Incoming => ({
  kind: 'broken',
  id: isId(id) ? id : null,
  code: rpcErrors.invalidRequest,
  message: 'The line is not a JSON-RPC 2.0 message',
});

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const isId = (value: unknown): value is RequestId =>
  typeof value === 'string' || typeof value === 'number';
