import type { Message } from '../mcp/message.ts';
import type { ProxyError } from './error.ts';
import type { TenantId } from './ids.ts';
import type { Member } from './roster.ts';

/** The server's answer to one call, with the client's own id in it: one JSON-RPC response in one or more pieces. */
export interface Reply {
  readonly parts: readonly Buffer[];
  /** The server answered with a JSON-RPC error. */
  readonly isError: boolean;
  /** The number of the server's error, where the client's era needs it for the HTTP status. */
  readonly errorCode?: number;
}

/** How long a call may take, in milliseconds: `call` without a sign of progress, `max` in all. */
export interface Deadline {
  readonly call: number;
  readonly max: number;
}

/** A question of the server that waits for the client's answer. */
export interface Question {
  /** The server does not want to know any more. */
  withdraw(): void;
}

/**
 * Puts a question of the server to a client. `answer` gets the client's response, with the server's id in it.
 * Undefined if it cannot be asked.
 */
export type Ask = (request: Message, answer: (response: readonly Buffer[]) => void) => Question | undefined;

/** A caller of the modern era, as its one request has it. */
export interface Visitor {
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** What the client calls itself, if it does. */
  readonly clientInfo: unknown;
  /** The least severe log messages wanted; undefined: none. */
  readonly logLevel: string | undefined;
  readonly ask: Ask;
  /** While the call waits for its client to come back with answers, and the client has nothing open here. */
  readonly away?: Away | undefined;
}

/** A client that was asked something, and is to come back with the answer. */
export interface Away {
  /** On the proxy's clock. */
  readonly since: number;
  /** Wait no longer: the call is ended, and the client that comes back has to make it anew. */
  readonly giveUp: () => void;
}

/** One JSON-RPC request from one client, on its way to one server. */
export interface Call extends Member {
  /** Unique in this process; in the log, and in `error.data.requestId`. */
  readonly requestId: string;
  readonly tenantId: TenantId;
  readonly keyName: string;
  readonly server: string;
  readonly message: Message;
  readonly cancellation: Cancellation;
  /** When it came, on the proxy's clock. */
  readonly startedAt: number;
  readonly deadline: Deadline;
  /**
   * Say something to the client ahead of the reply, on the reply's own stream: progress, a log line, a question. False if
   * the client has left and cannot come again for it.
   */
  readonly tell: (message: readonly Buffer[]) => boolean;
  /** Who asks, if without a session: then all there is to know of it came with the call. */
  readonly visitor?: Visitor;
  /** Called now and then while it runs, so that nobody on the way takes the silence for death. */
  readonly stayAwake: () => void;
  /** True once the request was handed to a worker: from then on the tool may have run. */
  dispatched: boolean;
  /** When the server got it or last gave a sign of progress, on the proxy's clock; from then on `deadline.call` counts. */
  heardAt: number;
  /** Questions of the server that the client has not answered; while there are any, the time is the user's. */
  openQuestions: number;
}

/** Carries the wish to stop to whoever has the call in hand right now; cheaper than an AbortSignal per call. */
export class Cancellation {
  #reason: ProxyError | undefined;
  #listener: ((reason: ProxyError) => void) | undefined;

  get reason(): ProxyError | undefined {
    return this.#reason;
  }

  /** Only one holds the call at a time, so a new listener replaces the old one. Called at once if it came too late. */
  listen(listener: ((reason: ProxyError) => void) | undefined): void {
    this.#listener = listener;
    if (this.#reason) listener?.(this.#reason);
  }

  cancel(reason: ProxyError): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#listener?.(reason);
  }
}

export type Handler = (call: Call) => Promise<Reply>;

/** A step on the way in and out: refuse by throwing, pass on by calling `next`, edit what comes back. */
export type Guard = (call: Call, next: Handler) => Promise<Reply>;

/** Put guards around a handler; the first guard is the outermost. */
export function guarded(guards: readonly Guard[], innermost: Handler): Handler {
  return guards.reduceRight<Handler>((next, guard) => (call) => guard(call, next), innermost);
}
