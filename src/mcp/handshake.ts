import { envelopeText } from './envelope.ts';
import { methods } from './methods.ts';
import { type Era, isLegacyVersion, latestLegacyVersion, latestModernVersion } from './versions.ts';
import { type Message, readMessage, valueOf } from './message.ts';
import { memberOf } from './members.ts';
import { idTextOf, ownAnswer } from './own-answer.ts';
import { retoldFromDiscover, retoldFromInitialize } from './retold.ts';
import { splice } from './splice.ts';

/** What a server says of itself in `initialize`. */
export type InitializeResult = Readonly<Record<string, unknown>> & {
  readonly protocolVersion: string;
  readonly capabilities: Readonly<Record<string, unknown>>;
};

/** `initialize` as the proxy itself sends it, once per process (2025-11-25 lifecycle). */
export function initializeRequest(
  clientInfo: unknown,
  capabilities: Readonly<Record<string, unknown>>,
): Message {
  const params = { protocolVersion: latestLegacyVersion, capabilities, clientInfo };
  return readMessage(
    Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 0, method: methods.initialize, params })),
  );
}

export const initializedNotification = `{"jsonrpc":"2.0","method":"${methods.initialized}"}`;

/** `server/discover` as the proxy sends it to a server of the modern era, once per process. */
export function discoverRequest(clientVersion: string): Message {
  const envelope = envelopeText({
    version: latestModernVersion,
    clientInfo: { name: 'mcp-tenant-proxy', version: clientVersion },
    capabilities: {},
    logLevel: undefined,
  });
  const text = `{"jsonrpc":"2.0","id":0,"method":"${methods.discover}","params":{"_meta":{${envelope}}}}`;
  return readMessage(Buffer.from(text));
}

/** What a server said of itself, in the words of both eras; kept for every session and caller that comes later. */
export interface ServerFacts {
  /** The era of the worker that said it. */
  readonly era: Era;
  readonly initialize: InitializeResult;
  readonly discover: DiscoverResult;
  /** JSON of what the server calls itself. */
  readonly identity: string;
  /** JSON of the result of `initialize`, as near to the server's own words as can be. */
  readonly said?: string | undefined;
  /** The same of `server/discover`. */
  readonly saidModern?: string | undefined;
}

/** What a server says of itself in `server/discover` (2026-07-28 server/discover). */
export type DiscoverResult = Readonly<Record<string, unknown>> & {
  readonly capabilities: Readonly<Record<string, unknown>>;
};

/** Why a server's answer to its handshake will not do. */
export interface HandshakeProblem {
  readonly problem: string;
  /** It may be a server of the other era. */
  readonly isRefusal: boolean;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads the answer to the handshake of `era`. */
export function readFacts(era: Era, message: Message): ServerFacts | HandshakeProblem {
  const asked = era === 'legacy' ? methods.initialize : methods.discover;
  if (message.error) {
    const { code } = (valueOf(message, message.error) ?? {}) as { code?: unknown };
    return { problem: `it answered ${asked} with error ${String(code)}`, isRefusal: true };
  }
  const result = valueOf(message, message.result);
  if (!isRecord(result)) return { problem: `it answered ${asked} with no result`, isRefusal: false };
  if (!isRecord(result['capabilities']))
    return { problem: `it answered ${asked} without capabilities`, isRefusal: false };
  return isKnownRevision(era, result) ? factsIn(era, message) : unknownRevision;
}

function factsIn(era: Era, message: Message): ServerFacts {
  const { start = 0, end = 0 } = message.result ?? {};
  const json = message.bytes.subarray(start, end);
  const { initialize, discover, identity } =
    era === 'legacy' ? retoldFromInitialize(json) : retoldFromDiscover(json);
  return {
    era,
    initialize: JSON.parse(initialize) as InitializeResult,
    discover: JSON.parse(discover) as DiscoverResult,
    identity,
    said: initialize,
    saidModern: discover,
  };
}

const unknownRevision = {
  problem: 'it speaks no protocol revision that the proxy knows',
  isRefusal: false,
};

function isKnownRevision(era: Era, result: Record<string, unknown>): boolean {
  if (era === 'legacy') return isLegacyVersion(result['protocolVersion']);
  const supported = result['supportedVersions'];
  return Array.isArray(supported) && supported.includes(latestModernVersion);
}

/** What a server answered to `initialize`, or would have; and in its own words. */
export interface Greeted {
  readonly result: InitializeResult;
  readonly said?: string | undefined;
}

/** What is kept was read before, and bounded then. */
const anyDepth = 10_000;

/** The answer to one session's `initialize`, from what the server said to the first. */
export function initializeAnswer(
  request: Message,
  { result, said }: Greeted,
  protocolVersion: string,
): Buffer {
  const idText = idTextOf(request);
  const kept = said === undefined ? undefined : readMessage(withResult(said), anyDepth);
  const version = kept && memberOf(kept.resultMembers, 'protocolVersion');
  if (!kept?.id || !version) return ownAnswer(idText, 'result', { ...result, protocolVersion });
  const edits = [
    { span: kept.id, text: idText },
    { span: version, text: JSON.stringify(protocolVersion) },
  ];
  return Buffer.concat(splice(kept.bytes, edits));
}

const withResult = (text: string) => Buffer.from(`{"jsonrpc":"2.0","id":0,"result":${text}}`);

/** The answer to a caller's `server/discover`. */
export function discoverAnswer(
  request: Message,
  { discover, saidModern }: Pick<ServerFacts, 'discover' | 'saidModern'>,
): Buffer {
  const idText = idTextOf(request);
  if (saidModern === undefined) return ownAnswer(idText, 'result', discover);
  return Buffer.concat([
    Buffer.from(`{"jsonrpc":"2.0","id":${idText},"result":`, 'latin1'),
    Buffer.from(`${saidModern}}`),
  ]);
}
