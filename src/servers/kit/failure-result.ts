import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { ToolFailure } from './failure.ts';
import type { Redactor } from './redactor.ts';

/** Where programs find in `_meta` what the text says to people. */
export const errorMetaKey = 'mcp-tenant-proxy/error';

/**
 * A failure as the tool's answer: JSON with `error` first, as the founding document's server had it. Structured content
 * is left out, since it would have to match the tool's output schema.
 */
export function failureResult(failure: ToolFailure, redact: Redactor): CallToolResult {
  const told = toldOf(failure, redact);
  return {
    content: [{ type: 'text', text: JSON.stringify(told, undefined, 2) }],
    isError: true,
    _meta: { [errorMetaKey]: told },
  };
}

export function toldOf(failure: ToolFailure, redact: Redactor): Record<string, unknown> {
  const { code, message, hint, executed, retryable, retryAfterSeconds, status, vendorCode } = failure;
  const told = { error: message, code, hint, executed, retryable, retryAfterSeconds, status, vendorCode };
  const said = Object.entries(told).filter(([, value]) => value !== undefined);
  // A vendor may well quote back what it was sent.
  return Object.fromEntries(
    said.map(([key, value]) => [key, typeof value === 'string' ? redact(value) : value]),
  );
}
