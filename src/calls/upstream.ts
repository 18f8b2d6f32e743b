import type { Greeted, ServerFacts } from '../mcp/handshake.ts';
import type { Message } from '../mcp/message.ts';
import type { Call, Handler, Question } from './call.ts';
import type { TenantId } from './ids.ts';

/** Somewhere calls can go: the pools of child processes today, remote servers and bundles later. */
export interface Upstream {
  /** Give a session its line. Waits for a worker if the server has not said yet what it is. */
  connect(caller: Caller, initialize: Call): Promise<Connection>;
  /** The way of a caller of the modern era, who has no session: all there is to know comes with the call. */
  readonly visit: Handler;
  /** What the server says of itself to such a caller. */
  discover(call: Call): Promise<ServerFacts>;
  /** The parameters of a tool that the call must say in HTTP headers too; at once if they are known. */
  mirrored(call: Call, tool: string): readonly MirroredParameter[] | Promise<readonly MirroredParameter[]>;
  /** Hear from the server until the line is hung up: that lists changed, and of these resources. */
  listen(caller: Caller, call: Call, uris: readonly string[]): Promise<{ hangUp(reason: string): void }>;
}

/** A parameter with `x-mcp-header` in the tool's `inputSchema` (2026-07-28 server/tools). */
export interface MirroredParameter {
  /** The header, in lower case: `mcp-param-…`. */
  readonly header: string;
  /** Where in `arguments` it stands. */
  readonly path: readonly string[];
}

export interface Connection extends Greeted {
  readonly line: Line;
}

/** The session behind a line, as the server's side sees it. */
export interface Caller {
  readonly tenantId: TenantId;
  readonly keyName: string;
  /** The `capabilities` the client declared. */
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** A notification for this session; on the stream of `call` if it is about one, else on the session's own. */
  hear(notification: Message, call: Call | undefined): void;
  /**
   * A question of the server for this client. `answer` gets the client's response, with the server's id in it.
   * Undefined if it cannot be asked, because too many are open already.
   */
  ask(
    request: Message,
    call: Call | undefined,
    answer: (response: readonly Buffer[]) => void,
  ): Question | undefined;
  /** Is somebody listening to what is not an answer? */
  readonly isListening: boolean;
}

/** One session's way to one server. */
export interface Line {
  readonly exchange: Handler;
  /** What needs no reply: a notification of the client's. */
  send(notification: Message): void;
  hangUp(reason: string): void;
}
