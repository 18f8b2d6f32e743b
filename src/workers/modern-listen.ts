import { metaKeys } from '../mcp/meta-keys.ts';
import { changeMembers, membersOf } from '../mcp/members.ts';
import { methods } from '../mcp/methods.ts';
import { type Message, paramsOf, readMessage } from '../mcp/message.ts';
import { splice } from '../mcp/splice.ts';
import type { AttachedLine } from './attached-line.ts';
import { modernParams } from './kind.ts';

/** What a modern worker tells of itself, and of which resources. */
export interface ModernListen {
  /** The sessions on the worker, or what they want to hear, changed. */
  refresh(): void;
  /** A notification of the worker: as one for everybody, or undefined if it is about the listening itself. */
  hear(notification: Message): Message | undefined;
}

export interface ModernListenParts {
  readonly lines: Iterable<AttachedLine>;
  /** Send the worker a request; its id there. */
  readonly request: (message: Message) => number;
  readonly cancel: (innerId: number) => void;
}

/**
 * One `subscriptions/listen` of the proxy's own on each modern worker, for all its sessions together (2026-07-28
 * basic/patterns/subscriptions). What is wanted cannot be changed: a new one is opened, and the one before it is
 * cancelled when the new one is acknowledged, so that nothing is missed in between.
 */
export function createModernListen({ lines, request, cancel }: ModernListenParts): ModernListen {
  let current: number | undefined;
  /** The last one that the server took up: until it has taken up another, all news comes under this. */
  let heard: unknown;
  let wanted = '';
  let isWaiting = false;
  const before = new Set<number>();

  function open(): void {
    isWaiting = false;
    const uris = new Set<string>();
    for (const { subscriptions } of lines) for (const uri of subscriptions) uris.add(uri);
    const text = JSON.stringify([...uris].sort());
    if (current !== undefined && text === wanted) return;
    wanted = text;
    if (current !== undefined) before.add(current);
    current = request(listenRequest([...uris]));
  }

  function acknowledged(id: unknown): void {
    if (id !== current) return;
    heard = id;
    for (const old of before) cancel(old);
    before.clear();
  }

  return {
    refresh() {
      // Of many changes in one turn, one request.
      if (isWaiting) return;
      isWaiting = true;
      queueMicrotask(open);
    },
    hear(notification) {
      if (!notification.meta) return notification;
      const meta = paramsOf(notification)['_meta'] as Readonly<Record<string, unknown>>;
      const id = meta[metaKeys.subscriptionId];
      if (id === undefined) return notification;
      if (notification.method === methods.acknowledged) {
        acknowledged(id);
        return undefined;
      }
      // While two are open, both tell the same.
      return id === heard || heard === undefined ? withoutSubscription(notification) : undefined;
    },
  };
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
