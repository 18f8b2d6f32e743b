import { legacyVersions, latestLegacyVersion } from './versions.ts';
import { methods } from './methods.ts';
import { type Message, readMessage, valueOf } from './message.ts';
import { idTextOf, ownAnswer } from './own-answer.ts';

/** What a server said of itself in `initialize`, kept for every session that comes later. */
export type InitializeResult = Readonly<Record<string, unknown>> & {
  readonly protocolVersion: string;
  readonly capabilities: Readonly<Record<string, unknown>>;
};

/** `initialize` as the proxy itself sends it, once per process (2025-11-25 lifecycle). */
export function initializeRequest(
  clientVersion: string,
  capabilities: Readonly<Record<string, unknown>>,
): Message {
  const params = {
    protocolVersion: latestLegacyVersion,
    capabilities,
    clientInfo: { name: 'mcp-tenant-proxy', version: clientVersion },
  };
  return readMessage(
    Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 0, method: methods.initialize, params })),
  );
}

export const initializedNotification = `{"jsonrpc":"2.0","method":"${methods.initialized}"}`;

/** Reads the answer to `initialize`; a string says what is wrong with it. */
export function readInitializeResult(answer: readonly Buffer[]): InitializeResult | string {
  const message = readMessage(Buffer.concat(answer), 256);
  if (message.error) {
    const { code } = (valueOf(message, message.error) ?? {}) as { code?: unknown };
    return `it answered initialize with error ${String(code)}`;
  }
  const result = valueOf(message, message.result) as Partial<InitializeResult> | null;
  if (typeof result !== 'object' || result === null) return 'it answered initialize with no result';
  const known: readonly unknown[] = legacyVersions;
  if (!known.includes(result.protocolVersion)) return 'it speaks no protocol revision that the proxy knows';
  if (typeof result.capabilities !== 'object' || (result.capabilities as unknown) === null)
    return 'it answered initialize without capabilities';
  return result as InitializeResult;
}

/** The answer to one session's `initialize`, from what the server said to the first. */
export function initializeAnswer(
  request: Message,
  result: InitializeResult,
  protocolVersion: string,
): Buffer {
  return ownAnswer(idTextOf(request), 'result', { ...result, protocolVersion });
}
