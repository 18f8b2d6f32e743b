import { errorCodeOf } from '../bridge/error-code.ts';
import { metaKeys } from '../mcp/meta-keys.ts';
import { changeMembers, membersOf } from '../mcp/members.ts';
import { methodNotFound, methods } from '../mcp/methods.ts';
import { type Message, paramsOf, readMessage, textOf } from '../mcp/message.ts';
import { splice } from '../mcp/splice.ts';
import { backoff } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';
import type { AttachedLine } from './attached-line.ts';
import { modernParams } from './kind.ts';

export interface ModernListenParts {
  readonly clock: Clock;
  readonly lines: Iterable<AttachedLine>;
  /** Send the worker a request; its id there. `answered` gets its answer, or nothing if the worker is gone. */
  readonly request: (message: Message, answered: (response: Message | undefined) => void) => number;
  readonly cancel: (innerId: number) => void;
}

/** How soon after the server ended the listening it is asked again: soon at first, then ever later, in milliseconds. */
const soonMs = 1000;
const lateMs = 60_000;

/**
 * One `subscriptions/listen` of the proxy's own on each modern worker, for all its sessions together (2026-07-28
 * basic/patterns/subscriptions). What is wanted cannot be changed: a new one is opened, and the one before it is
 * cancelled when the new one is acknowledged, so that nothing is missed in between. One that the server ends is opened
 * anew after a while.
 */
export class ModernListen {
  readonly #parts: ModernListenParts;
  #current: number | undefined;
  /** Opened before the current one, and not called off yet. */
  readonly #before = new Set<number>();
  /** The last one that the server took up: until it has taken up another, all news comes under this. */
  #heard: unknown;
  #wanted = '';
  #isWaiting = false;
  #openedAt = 0;
  /** How often in a row the server ended it soon. */
  #endings = 0;
  #stopResting: (() => void) | undefined;

  constructor(parts: ModernListenParts) {
    this.#parts = parts;
  }

  /** The sessions on the worker, or what they want to hear, changed. */
  refresh(): void {
    // Of many changes in one turn, one request.
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    queueMicrotask(() => {
      this.settle();
    });
  }

  /** Ask now for what is wanted by now: a call that is about to be sent may change what its client wants to hear of. */
  settle(): void {
    if (this.#isWaiting) this.#follow();
  }

  /** A notification of the worker: as one for everybody, or undefined if it is about the listening itself. */
  hear(notification: Message): Message | undefined {
    if (this.#isEnd(notification)) return undefined;
    if (!notification.meta) return notification;
    const meta = paramsOf(notification)['_meta'] as Readonly<Record<string, unknown>>;
    const id = meta[metaKeys.subscriptionId];
    if (id === undefined) return notification;
    if (notification.method === methods.acknowledged) {
      this.#acknowledged(id);
      return undefined;
    }
    // While two are open, both tell the same.
    const isHeard = id === this.#heard || this.#heard === undefined;
    return isHeard ? withoutSubscription(notification) : undefined;
  }

  /** The worker is gone. */
  close(): void {
    this.#stopResting?.();
  }

  /** Ask for what is wanted now, unless that was what was asked for last. */
  #follow(): void {
    this.#isWaiting = false;
    const uris = new Set<string>();
    for (const { subscriptions } of this.#parts.lines) for (const uri of subscriptions) uris.add(uri);
    const text = JSON.stringify([...uris].sort());
    const isAsked = this.#current !== undefined || this.#stopResting !== undefined;
    if (isAsked && text === this.#wanted) return;
    this.#wanted = text;
    this.#open([...uris]);
  }

  #open(uris: readonly string[]): void {
    this.#stopResting?.();
    this.#stopResting = undefined;
    if (this.#current !== undefined) this.#before.add(this.#current);
    this.#openedAt = this.#parts.clock.now();
    const id = this.#parts.request(listenRequest(uris), (response) => {
      // A server that does not know the method will not know it later.
      if (response && errorCodeOf(response) !== methodNotFound) this.#ended(id);
    });
    this.#current = id;
  }

  #ended(id: number): void {
    this.#before.delete(id);
    if (id === this.#heard) this.#heard = undefined;
    if (id !== this.#current) return;
    const { clock } = this.#parts;
    this.#current = undefined;
    this.#endings = clock.now() - this.#openedAt < lateMs ? this.#endings + 1 : 1;
    this.#stopResting = clock.after(backoff(this.#endings + 1, soonMs, lateMs), () => {
      this.#stopResting = undefined;
      this.#follow();
    });
  }

  /** Did the server call off one of these? It asks nothing itself, so it can mean no other numbers. */
  #isEnd({ method, bytes, requestId }: Message): boolean {
    if (method !== methods.cancelled || !requestId) return false;
    const id = Number(textOf(bytes, requestId));
    if (id !== this.#current && !this.#before.has(id)) return false;
    this.#parts.cancel(id);
    this.#ended(id);
    return true;
  }

  #acknowledged(id: unknown): void {
    if (id !== this.#current) return;
    this.#heard = id;
    for (const old of this.#before) this.#parts.cancel(old);
    this.#before.clear();
  }
}

function listenRequest(uris: readonly string[]): Message {
  const notifications = {
    toolsListChanged: true,
    promptsListChanged: true,
    resourcesListChanged: true,
    ...(uris.length > 0 && { resourceSubscriptions: uris }),
  };
  const params = modernParams({ notifications });
  return readMessage(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 0, method: methods.listen, params })));
}

/** The number is the proxy's own, and nothing to clients. */
function withoutSubscription({ bytes, meta, params }: Message): Message {
  if (!meta || !params) throw new TypeError('It has a subscription');
  const members = membersOf(bytes, meta);
  const isOurs = (key: string) => key === metaKeys.subscriptionId;
  const edits = members.every(({ key }) => isOurs(key))
    ? changeMembers(params, membersOf(bytes, params), (key) => key === '_meta')
    : changeMembers(meta, members, isOurs);
  return readMessage(Buffer.concat(splice(bytes, edits)), 256);
}
