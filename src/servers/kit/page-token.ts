import { ToolFailure } from './failure.ts';

/**
 * A continuation token: opaque to the client, bound to the tool that gave it. It is no secret and proves nothing:
 * what comes out of it was in the client's hands and is checked like any argument.
 */
export function writePageToken(tool: string, value: unknown): string {
  return Buffer.from(JSON.stringify([tool, value])).toString('base64url');
}

/** A token may hold a whole search; nothing that comes in a call is longer. */
const maxTokenChars = 4 * 1024 ** 2;

/** Throws INVALID_INPUT where the token is not one that `tool` gave. */
export function readPageToken(tool: string, token: string): unknown {
  const [of, value] = decoded(token);
  if (of === tool) return value;
  throw new ToolFailure('INVALID_INPUT', 'pageToken is not a token of this tool', {
    hint: `Give back nextPageToken of ${tool} exactly as it came, with the same other arguments, or leave it out`,
  });
}

function decoded(token: string): readonly unknown[] {
  if (token.length > maxTokenChars) return [];
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    return Array.isArray(value) && value.length === 2 ? (value as unknown[]) : [];
  } catch {
    return [];
  }
}
