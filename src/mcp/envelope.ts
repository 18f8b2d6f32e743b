import { keepNewest } from './keep-newest.ts';
import { metaKeys } from './meta-keys.ts';
import { byteText, changeMembers, membersOf } from './members.ts';
import { type Message, textOf, valueOf } from './message.ts';
import type { Span } from './scanner.ts';
import type { Edit } from './splice.ts';
import { isLogLevel } from './methods.ts';

/** What a request of the modern era says of itself in `params._meta` (2026-07-28 basic/index, "_meta"). */
export interface Envelope {
  readonly version: string;
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** What the client calls itself, if it does. */
  readonly clientInfo: unknown;
  /** The least severe log messages wanted; undefined: none. */
  readonly logLevel: string | undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads the envelope of a request; a string says what is missing or wrong. */
export function readEnvelope(message: Message): Envelope | string {
  const meta = valueOf(message, message.meta);
  if (!isRecord(meta)) return '`params._meta` is missing';
  const version = meta[metaKeys.version];
  const capabilities = meta[metaKeys.capabilities];
  const level = meta[metaKeys.logLevel];
  if (typeof version !== 'string') return `\`_meta["${metaKeys.version}"]\` must be a text`;
  if (!isRecord(capabilities)) return `\`_meta["${metaKeys.capabilities}"]\` must be an object`;
  if (level !== undefined && !isLogLevel(level))
    return `\`_meta["${metaKeys.logLevel}"]\` must be one of the eight log levels`;
  return { version, capabilities, clientInfo: meta[metaKeys.clientInfo], logLevel: level };
}

/** Envelopes are kept up to this size, in bytes, and so many of them. */
const known = { maxBytes: 2048, max: 256 };

/**
 * Reads envelopes as `readEnvelope` does. A client says the same of itself with each request, so what was said before is
 * not taken apart again: equal text gives the same objects.
 */
export function createEnvelopeReader(): typeof readEnvelope {
  const envelopes = new Map<string, Envelope>();
  return (message) => {
    const { bytes, meta } = message;
    if (!meta || meta.end - meta.start > known.maxBytes) return readEnvelope(message);
    const text = textOf(bytes, meta);
    const before = envelopes.get(text);
    if (before) return before;
    const envelope = readEnvelope(message);
    if (typeof envelope === 'string') return envelope;
    keepNewest(envelopes, text, envelope, known.max);
    return envelope;
  };
}

/** Members of `params` that belong to the exchange between the client and the proxy. */
const ownParams = new Set(['requestState', 'inputResponses']);
const envelopeKeys: ReadonlySet<string> = new Set([
  metaKeys.version,
  metaKeys.clientInfo,
  metaKeys.capabilities,
  metaKeys.logLevel,
]);

/** Takes the envelope off a request, for a server that would take it for something of its own. */
export function envelopeOff({ bytes, params, meta }: Message): readonly Edit[] {
  if (!params) return [];
  const metaMembers = meta ? membersOf(bytes, meta) : [];
  const isAllOurs = metaMembers.every(({ key }) => envelopeKeys.has(key));
  const isGone = (key: string) => ownParams.has(key) || (key === '_meta' && isAllOurs);
  const edits = changeMembers(params, membersOf(bytes, params), isGone);
  if (meta && !isAllOurs) edits.push(...changeMembers(meta, metaMembers, (key) => envelopeKeys.has(key)));
  return edits;
}

/** Puts `envelope`, and what else is to stand in `params`, into a request. Both are JSON texts without braces. */
export function envelopeOn(
  { bytes, params, meta }: Message,
  envelope: string,
  further = '',
): readonly Edit[] {
  const whole = `"_meta":{${envelope}}`;
  const join = (text: string) => byteText(further === '' ? text : `${further},${text}`);
  if (!params) {
    const at = bytes.lastIndexOf(0x7d);
    return [{ span: { start: at, end: at }, text: `,"params":{${join(whole)}}` }];
  }
  // `null` stands for nothing; a list is for the server to refuse.
  if (bytes[params.start] === 0x6e) return [{ span: params, text: `{${join(whole)}}` }];
  if (bytes[params.start] !== 0x7b) return [];
  const members = membersOf(bytes, params);
  // A `_meta` that is no object would stand beside ours, and readers differ in which of two they believe.
  if (!meta) return changeMembers(params, members, (key) => isRetried(key) || key === '_meta', join(whole));
  const edits = changeMembers(params, members, isRetried, byteText(further));
  return [...edits, ...inMeta(bytes, meta, envelope)];
}

const isRetried = (key: string) => ownParams.has(key);

function inMeta(bytes: Buffer, meta: Span, envelope: string): readonly Edit[] {
  const isOurs = (key: string) => envelopeKeys.has(key) || key === metaKeys.subscriptionId;
  return changeMembers(meta, membersOf(bytes, meta), isOurs, byteText(envelope));
}

/** The envelope as text, for `envelopeOn`. */
export function envelopeText(parts: {
  readonly version: string;
  readonly clientInfo: unknown;
  readonly capabilities: unknown;
  readonly logLevel: string | undefined;
}): string {
  const { version, clientInfo, capabilities, logLevel } = parts;
  const level = logLevel === undefined ? {} : { [metaKeys.logLevel]: logLevel };
  return JSON.stringify({
    [metaKeys.version]: version,
    [metaKeys.clientInfo]: clientInfo,
    [metaKeys.capabilities]: capabilities,
    ...level,
  }).slice(1, -1);
}
