import { byteText, changeMembers, elementsOf, memberOf, membersOf } from '../mcp/members.ts';
import { metaKeys } from '../mcp/meta-keys.ts';
import {
  cacheableMethods,
  internalError,
  invalidParams,
  methods,
  resourceNotFound,
  urlElicitationRequired,
} from '../mcp/methods.ts';
import { type Message, textOf } from '../mcp/message.ts';
import type { Span } from '../mcp/scanner.ts';
import type { Edit } from '../mcp/splice.ts';
import { errorCodeEdit } from './error-code.ts';

/** Codes that 2026-07-28 must not say any more (basic/index, "Error Codes"). */
const modernCodes = new Map([
  [resourceNotFound, invalidParams],
  [urlElicitationRequired, internalError],
]);

const ownKeys = new Set(['resultType', 'ttlMs', 'cacheScope']);

/**
 * What a legacy server's answer to `method` needs so that a client of 2026-07-28 reads it as one of its own.
 * `serverInfo`: JSON of what the server calls itself.
 */
export function modernEdits(response: Message, method: string, serverInfo: string): readonly Edit[] {
  const { result, resultMembers, bytes } = response;
  if (response.error) return errorCodeEdit(response, modernCodes);
  if (!result || bytes[result.start] !== 0x7b) return [];
  const isCacheable = cacheableMethods.has(method);
  const meta = memberOf(resultMembers, '_meta');
  const identity = `"${metaKeys.serverInfo}":${serverInfo}`;
  const caching = isCacheable ? ',"ttlMs":0,"cacheScope":"private"' : '';
  const ownMeta = meta ? '' : `,"_meta":{${identity}}`;
  const edits = changeMembers(
    result,
    resultMembers,
    (key) => (isCacheable ? ownKeys.has(key) : key === 'resultType'),
    byteText(`"resultType":"complete"${caching}${ownMeta}`),
  );
  if (meta && bytes[meta.start] === 0x7b) {
    const members = membersOf(bytes, meta);
    edits.push(...changeMembers(meta, members, (key) => key === metaKeys.serverInfo, byteText(identity)));
  }
  if (method === methods.listTools) edits.push(...modernTools(response));
  return edits;
}

/**
 * `execution` says how a tool takes part in tasks of 2025-11-25, which a modern client cannot ask for; a tool that
 * can only be called so is not shown.
 */
function modernTools({ bytes, resultMembers }: Message): readonly Edit[] {
  const tools = memberOf(resultMembers, 'tools');
  // Most lists have none of it, and are not looked through.
  if (!tools || !bytes.subarray(tools.start, tools.end).includes('"execution"')) return [];
  const elements = elementsOf(bytes, tools);
  const members = elements.map((tool) => membersOf(bytes, tool));
  const isHidden = (index: number) => needsTask(bytes, memberOf(members[index] ?? [], 'execution'));
  const shown = elements.flatMap((tool, index) =>
    isHidden(index) ? [] : changeMembers(tool, members[index] ?? [], isExecution),
  );
  const places = elements.map((value, index) => ({ key: String(index), start: value.start, value }));
  return [...changeMembers(tools, places, (index) => isHidden(Number(index))), ...shown];
}

const isExecution = (key: string) => key === 'execution';

function needsTask(bytes: Buffer, execution: Span | undefined): boolean {
  if (!execution) return false;
  const support = memberOf(membersOf(bytes, execution), 'taskSupport');
  return support !== undefined && textOf(bytes, support) === '"required"';
}
