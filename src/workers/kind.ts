import { discoverRequest, initializeRequest } from '../mcp/handshake.ts';
import type { Message } from '../mcp/message.ts';
import { envelopeText } from '../mcp/envelope.ts';
import { type Era, latestModernVersion } from '../mcp/versions.ts';
import { version } from '../version.ts';

/**
 * What a worker was told in its handshake. A legacy server learns there once and for all what its client can do, and
 * may show other tools to another; so clients that can do other things are kept on other workers.
 */
export interface WorkerKind {
  readonly era: Era;
  /** Equal exactly for equal kinds. */
  readonly key: string;
  /** It was told that it may ask its client things. */
  readonly asks: boolean;
  /** The handshake, as the proxy sends it. */
  readonly greeting: Message;
}

export interface WorkerKinds {
  /** Of the legacy era, for clients that declare these capabilities. */
  legacy(capabilities: Capabilities): WorkerKind;
}

export type Capabilities = Readonly<Record<string, unknown>>;

const ownClientInfo = { name: 'mcp-tenant-proxy', version };

/**
 * So many kinds of one server are kept apart; of clients that declare ever new extensions no more is told than what they
 * may be asked. Of that there are two dozen sets at most.
 */
const maxKinds = 32;
/** A declaration longer than this is passed over. */
const maxKeyLength = 4096;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const made = (capabilities: Capabilities, key: string): WorkerKind => ({
  era: 'legacy',
  key,
  asks: 'sampling' in capabilities || 'elicitation' in capabilities,
  greeting: initializeRequest(ownClientInfo, capabilities),
});

/** Of the legacy era, told nothing: for most clients there are. */
export const plainKind: WorkerKind = made({}, 'legacy {}');

/** Of the modern era: everything is said anew with each call. */
export const modernKind: WorkerKind = {
  era: 'modern',
  key: 'modern',
  asks: false,
  greeting: discoverRequest(version),
};

/** The legacy kinds of one server. */
export function createWorkerKinds(): WorkerKinds {
  const kinds = new Map<string, WorkerKind>();
  /** Undefined for nothing, for too much, and for a new one when there are `most`. */
  const kindOf = (capabilities: Capabilities, most: number): WorkerKind | undefined => {
    const json = JSON.stringify(capabilities);
    if (json === '{}' || json.length > maxKeyLength) return undefined;
    const key = `legacy ${json}`;
    const known = kinds.get(key);
    if (known || kinds.size >= most) return known;
    const kind = made(capabilities, key);
    kinds.set(key, kind);
    return kind;
  };
  return {
    legacy(declared) {
      const whole = sharedPart(declared);
      const { extensions, ...questions } = whole;
      const extended = extensions === undefined ? undefined : kindOf(whole, maxKinds);
      return extended ?? kindOf(questions, Infinity) ?? plainKind;
    },
  };
}

/** Everything a client of many may be asked; for a server that has only one process for all of them. */
export const everything: Capabilities = {
  sampling: { tools: {}, context: {} },
  elicitation: { form: {}, url: {} },
};

/**
 * What may be said on behalf of many clients that declare the same. Roots are each client's own, and a server asks for
 * them at any time, so they are left to workers of a single session.
 */
function sharedPart({ sampling, elicitation, extensions }: Capabilities): Capabilities {
  return {
    ...(isRecord(sampling) && { sampling: named(sampling, ['tools', 'context']) }),
    ...(isRecord(elicitation) && { elicitation: named(elicitation, ['form', 'url']) }),
    ...(isRecord(extensions) && Object.keys(extensions).length > 0 && { extensions: sorted(extensions) }),
  };
}

const named = (record: Record<string, unknown>, names: readonly string[]) =>
  Object.fromEntries(names.filter((name) => isRecord(record[name])).map((name) => [name, {}]));

const sorted = (record: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

/** `params` of a request of the proxy's own to a modern server. */
export function modernParams(params: Capabilities): Capabilities {
  const envelope = envelopeText({
    version: latestModernVersion,
    clientInfo: ownClientInfo,
    capabilities: {},
    logLevel: undefined,
  });
  return { ...params, _meta: JSON.parse(`{${envelope}}`) as unknown };
}

/**
 * The `initialize` that a client of 2026-07-28, which has none, would send: for a worker of a legacy server that is to
 * be its alone. Undefined if it says more of itself than fits.
 */
export function greetingFor({ clientInfo, capabilities }: Introduction): Message | undefined {
  const message = initializeRequest(isNamed(clientInfo) ? clientInfo : ownClientInfo, capabilities);
  return message.bytes.length > maxKeyLength ? undefined : message;
}

export interface Introduction {
  readonly clientInfo: unknown;
  readonly capabilities: Capabilities;
}

/** Servers refuse a client without a name and a version. */
const isNamed = (info: unknown) =>
  isRecord(info) && typeof info['name'] === 'string' && typeof info['version'] === 'string';
