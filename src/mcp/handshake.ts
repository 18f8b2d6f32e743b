import { envelopeText } from './envelope.ts';
import { metaKeys } from './meta-keys.ts';
import { methods } from './methods.ts';
import {
  type Era,
  isLegacyVersion,
  latestLegacyVersion,
  latestModernVersion,
  modernVersions,
} from './versions.ts';
import { type Message, readMessage, valueOf } from './message.ts';
import { memberOf } from './members.ts';
import { idTextOf, ownAnswer } from './own-answer.ts';
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
  /** JSON of the result of `initialize` as the server wrote it, if it was asked for that. */
  readonly said?: string | undefined;
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
  const facts = era === 'legacy' ? factsOfInitialize(result) : factsOfDiscover(result);
  if (era === 'modern' || 'problem' in facts || !message.result) return facts;
  const { start, end } = message.result;
  return { ...facts, said: message.bytes.toString('utf8', start, end) };
}

const unknownRevision = {
  problem: 'it speaks no protocol revision that the proxy knows',
  isRefusal: false,
};

/** A server of the legacy era, as `initialize` has it. What a modern client is told follows from that. */
function factsOfInitialize(result: Record<string, unknown>): ServerFacts | HandshakeProblem {
  if (!isLegacyVersion(result['protocolVersion'])) return unknownRevision;
  const { capabilities, serverInfo, instructions } = result as InitializeResult;
  const discover = {
    resultType: 'complete',
    supportedVersions: modernVersions,
    // Tasks of 2025-11-25 are another thing than the extension of that name.
    capabilities: without(capabilities, 'tasks'),
    ...(instructions === undefined ? {} : { instructions }),
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { [metaKeys.serverInfo]: serverInfo ?? unnamed },
  };
  const identity = JSON.stringify(serverInfo ?? unnamed);
  return { era: 'legacy', initialize: result as InitializeResult, discover, identity };
}

/** A server of the modern era. What a legacy client is told follows from that. */
function factsOfDiscover(result: Record<string, unknown>): ServerFacts | HandshakeProblem {
  const supported = result['supportedVersions'];
  if (!Array.isArray(supported) || !supported.includes(latestModernVersion)) return unknownRevision;
  const { capabilities, instructions, _meta: meta } = result as DiscoverResult;
  const serverInfo = isRecord(meta) ? (meta[metaKeys.serverInfo] ?? unnamed) : unnamed;
  const extensions = isRecord(capabilities['extensions']) ? capabilities['extensions'] : undefined;
  const initialize: InitializeResult = {
    protocolVersion: latestLegacyVersion,
    capabilities: {
      ...capabilities,
      ...(extensions && { extensions: without(extensions, 'io.modelcontextprotocol/tasks') }),
    },
    serverInfo,
    ...(instructions === undefined ? {} : { instructions }),
  };
  // One URL serves many tenants, so nothing may be kept for everybody who uses it.
  const discover = {
    ...result,
    supportedVersions: modernVersions,
    cacheScope: 'private',
  } as unknown as DiscoverResult;
  return { era: 'modern', initialize, discover, identity: JSON.stringify(serverInfo) };
}

const unnamed = { name: 'unknown', version: '0' };

function without(record: Readonly<Record<string, unknown>>, key: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}

/** What a server answered to `initialize`, or would have; and in its own words, if it did. */
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
