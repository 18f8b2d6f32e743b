import { byteText, changeMembers, membersOf, memberOf } from './members.ts';
import { metaKeys } from './meta-keys.ts';
import type { Span } from './scanner.ts';
import { type Edit, splice } from './splice.ts';
import { latestLegacyVersion, modernVersions } from './versions.ts';

/**
 * What a server said of itself in its handshake, for clients of either era: JSON of a result in which members were put in
 * and taken out, and all others stand as they were spelled.
 */
export interface Retold {
  readonly initialize: string;
  readonly discover: string;
  /** What the server calls itself. */
  readonly identity: string;
}

const unnamed = '{"name":"unknown","version":"0"}';
/** Members that belong to one handshake and mean nothing in the other. */
const ownOfLegacy = new Set(['protocolVersion', 'serverInfo']);
const ownOfModern = new Set(['resultType', 'supportedVersions', 'ttlMs', 'cacheScope']);
/** One URL serves many tenants, so nothing may be kept for everybody who uses it. */
const keptByNobodyElse = `"supportedVersions":${JSON.stringify(modernVersions)},"cacheScope":"private"`;

/** From the result of `initialize`, whose members are an object's. */
export function retoldFromInitialize(json: Buffer): Retold {
  const { whole, members, text, at } = openJson(json);
  const identity = nameIn(text(memberOf(members, 'serverInfo')));
  const meta = at(members, '_meta');
  const named = `"${metaKeys.serverInfo}":${identity}`;
  const put = `"resultType":"complete",${keptByNobodyElse},"ttlMs":0${meta ? '' : `,"_meta":{${named}}`}`;
  const isOut = (key: string) => ownOfLegacy.has(key) || ownOfModern.has(key) || (key === '_meta' && !meta);
  return {
    initialize: text(whole) ?? '',
    discover: edited(json, [
      ...changeMembers(whole, members, isOut, byteText(put)),
      ...(meta ? changeMembers(meta, membersOf(json, meta), isServerInfo, byteText(named)) : []),
      // Tasks of 2025-11-25 are another thing than the extension of that name.
      ...without(json, at(members, 'capabilities'), 'tasks'),
    ]),
    identity,
  };
}

/** From the result of `server/discover`. */
export function retoldFromDiscover(json: Buffer): Retold {
  const { whole, members, text, at } = openJson(json);
  const meta = at(members, '_meta');
  const metaMembers = meta ? membersOf(json, meta) : [];
  const identity = nameIn(text(memberOf(metaMembers, metaKeys.serverInfo)));
  const isMetaEmpty = metaMembers.every(({ key }) => isServerInfo(key));
  const capabilities = at(members, 'capabilities');
  const extensions = capabilities && at(membersOf(json, capabilities), 'extensions');
  const isOut = (key: string) =>
    ownOfModern.has(key) || ownOfLegacy.has(key) || (key === '_meta' && isMetaEmpty);
  const put = `"protocolVersion":"${latestLegacyVersion}","serverInfo":${identity}`;
  return {
    initialize: edited(json, [
      ...changeMembers(whole, members, isOut, byteText(put)),
      ...(isMetaEmpty ? [] : without(json, meta, metaKeys.serverInfo)),
      ...without(json, extensions, 'io.modelcontextprotocol/tasks'),
    ]),
    discover: edited(
      json,
      changeMembers(
        whole,
        members,
        (key) => key === 'supportedVersions' || key === 'cacheScope',
        keptByNobodyElse,
      ),
    ),
    identity,
  };
}

function openJson(json: Buffer) {
  const whole = { start: 0, end: json.length };
  const text = (span: Span | undefined) => span && json.toString('utf8', span.start, span.end);
  /** A member that is an object. */
  const at = (members: ReturnType<typeof membersOf>, key: string): Span | undefined => {
    const span = memberOf(members, key);
    return span && json[span.start] === 0x7b ? span : undefined;
  };
  return { whole, members: membersOf(json, whole), text, at };
}

const isServerInfo = (key: string) => key === metaKeys.serverInfo;

const nameIn = (text: string | undefined) => (text === undefined || text === 'null' ? unnamed : text);

const without = (json: Buffer, object: Span | undefined, key: string): readonly Edit[] =>
  object ? changeMembers(object, membersOf(json, object), (each) => each === key) : [];

const edited = (json: Buffer, edits: readonly Edit[]) => Buffer.concat(splice(json, edits)).toString();
