import type { Caller } from '../calls/upstream.ts';
import type { Era } from '../mcp/versions.ts';

/** A session's line as its worker sees it: whom to tell what. */
export interface AttachedLine {
  readonly caller: Caller;
  /** The client's. */
  readonly era: Era;
  /** Resource URIs this session wants to hear about. */
  readonly subscriptions: ReadonlySet<string>;
  /** The least severe log messages it wants; undefined: all. */
  readonly logLevel: string | undefined;
  /** The session is over. */
  readonly isGone: boolean;
  /** Its worker is gone. */
  homeless(): void;
}

/** Does a session wait for news that only a worker can tell? */
export function isAnyListening(lines: Iterable<AttachedLine>): boolean {
  for (const { subscriptions, caller } of lines) {
    if (subscriptions.size > 0 && caller.isListening) return true;
  }
  return false;
}
