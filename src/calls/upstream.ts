import type { InitializeResult } from '../mcp/handshake.ts';
import type { Message } from '../mcp/message.ts';
import type { Call, Handler } from './call.ts';
import type { TenantId } from './ids.ts';

/** Somewhere calls can go: the pools of child processes today, remote servers and bundles later. */
export interface Upstream {
  /** Give a session its line. Waits for a worker if the server has not said yet what it is. */
  connect(caller: Caller, initialize: Call): Promise<Connection>;
}

export interface Connection {
  readonly line: Line;
  readonly result: InitializeResult;
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
   * False if it cannot be asked, because too many are open already.
   */
  ask(request: Message, call: Call | undefined, answer: (response: readonly Buffer[]) => void): boolean;
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
