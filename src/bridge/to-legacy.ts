import { byteText, changeMembers, elementsOf, type Member, memberOf, membersOf } from '../mcp/members.ts';
import { metaKeys } from '../mcp/meta-keys.ts';
import {
  cacheableMethods,
  internalError,
  invalidParams,
  methods,
  missingCapability,
} from '../mcp/methods.ts';
import { headerMismatch, unsupportedVersion } from '../mcp/methods.ts';
import type { Message } from '../mcp/message.ts';
import type { Span } from '../mcp/scanner.ts';
import type { Edit } from '../mcp/splice.ts';
import { errorCodeEdit } from './error-code.ts';
import { objectSchema } from './wrapped-schema.ts';

/** What a modern server's answer to `method` needs so that a client of 2025-11-25 or before reads it as one of its own. */
export function legacyEdits(response: Message, method: string): readonly Edit[] {
  const { result, resultMembers, bytes } = response;
  if (response.error) return errorCodeEdit(response, legacyCodes);
  if (!result || bytes[result.start] !== 0x7b) return [];
  const isCacheable = cacheableMethods.has(method);
  const meta = memberOf(resultMembers, '_meta');
  const metaMembers = meta ? membersOf(bytes, meta) : [];
  const isMetaEmpty = metaMembers.length > 0 && metaMembers.every(isServerInfo);
  const edits = changeMembers(result, resultMembers, (key) => {
    if (key === 'resultType') return true;
    if (key === '_meta') return isMetaEmpty;
    return isCacheable && (key === 'ttlMs' || key === 'cacheScope');
  });
  if (meta && !isMetaEmpty)
    edits.push(...changeMembers(meta, metaMembers, (key) => key === metaKeys.serverInfo));
  if (method === methods.callTool) edits.push(...wrappedContent(response));
  if (method === methods.listTools) edits.push(...wrappedSchemas(response));
  return edits;
}

const isServerInfo = ({ key }: Member) => key === metaKeys.serverInfo;

/** Codes that only 2026-07-28 has: they are about the proxy's own envelope, which is nothing to the client. */
const legacyCodes = new Map([
  [headerMismatch, internalError],
  [missingCapability, internalError],
  [unsupportedVersion, invalidParams],
]);

/** Up to 2025-11-25 `structuredContent` is an object. */
function wrappedContent({ bytes, resultMembers }: Message): readonly Edit[] {
  const content = memberOf(resultMembers, 'structuredContent');
  if (!content || bytes[content.start] === 0x7b) return [];
  return [
    { span: { start: content.start, end: content.start }, text: '{"result":' },
    { span: { start: content.end, end: content.end }, text: '}' },
  ];
}

/** Up to 2025-11-25 `outputSchema` describes an object; a schema of something else becomes one. */
function wrappedSchemas({ bytes, resultMembers }: Message): readonly Edit[] {
  const tools = memberOf(resultMembers, 'tools');
  if (!tools) return [];
  return elementsOf(bytes, tools).flatMap((tool) => {
    const schema = memberOf(membersOf(bytes, tool), 'outputSchema');
    return schema ? wrapped(bytes, schema) : [];
  });
}

function wrapped(bytes: Buffer, span: Span): readonly Edit[] {
  const schema: unknown = JSON.parse(bytes.toString('utf8', span.start, span.end));
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return [];
  const told = objectSchema(schema as Record<string, unknown>);
  return told === schema ? [] : [{ span, text: byteText(told) }];
}
