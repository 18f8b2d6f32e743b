import type { TenantId } from '../calls/ids.ts';
import type { Caller } from '../calls/upstream.ts';
import type { ListenFilter } from '../mcp/listen-filter.ts';
import { envelopeOn } from '../mcp/envelope.ts';
import { metaKeys } from '../mcp/meta-keys.ts';
import { methods } from '../mcp/methods.ts';
import { type Message, paramsOf, readMessage } from '../mcp/message.ts';
import { splice } from '../mcp/splice.ts';
import { isPartOfAny } from '../mcp/sub-resource.ts';

export interface ListenerParts {
  readonly tenantId: TenantId;
  readonly keyName: string;
  readonly server: string;
  /** What its client declared: it lives on a worker that was told the same. */
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** The id of the request, which every message on the stream carries: JSON text, one character per byte. */
  readonly idText: string;
  readonly filter: ListenFilter;
  /** JSON of what the server calls itself. */
  readonly identity: string;
  /** False once the stream can take no more. */
  readonly write: (message: readonly Buffer[]) => boolean;
}

/** A caller without a session who waits for news of one server. */
export class Listener implements Caller {
  readonly tenantId: TenantId;
  readonly keyName: string;
  readonly server: string;
  readonly filter: ListenFilter;
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly isListening = true;
  readonly #parts: ListenerParts;
  readonly #meta: string;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
    this.tenantId = parts.tenantId;
    this.keyName = parts.keyName;
    this.server = parts.server;
    this.capabilities = parts.capabilities;
    this.filter = parts.filter;
    const id = Buffer.from(parts.idText, 'latin1').toString();
    this.#meta = `"${metaKeys.subscriptionId}":${id}`;
  }

  hear(notification: Message): void {
    if (this.#isWanted(notification)) this.#say(notification);
  }

  ask(): undefined {
    return undefined;
  }

  /** The first message: what will be heard. */
  acknowledge(): void {
    const { tools, prompts, resources, uris } = this.filter;
    const notifications = {
      ...(tools && { toolsListChanged: true }),
      ...(prompts && { promptsListChanged: true }),
      ...(resources && { resourcesListChanged: true }),
      ...(uris.length > 0 && { resourceSubscriptions: uris }),
    };
    const text = JSON.stringify({ jsonrpc: '2.0', method: methods.acknowledged, params: { notifications } });
    this.#say(readMessage(Buffer.from(text)));
  }

  /** The last message: nothing more will be heard. */
  sayGoodbye(): void {
    const { idText, identity, write } = this.#parts;
    const id = Buffer.from(idText, 'latin1').toString();
    const meta = `{${this.#meta},"${metaKeys.serverInfo}":${identity}}`;
    const result = `{"resultType":"complete","_meta":${meta}}`;
    write([Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":${result}}`)]);
  }

  #isWanted(notification: Message): boolean {
    const { filter } = this;
    switch (notification.method) {
      case 'notifications/tools/list_changed':
        return filter.tools;
      case 'notifications/prompts/list_changed':
        return filter.prompts;
      case 'notifications/resources/list_changed':
        return filter.resources;
      case methods.resourceUpdated:
        return isPartOfAny(String(paramsOf(notification)['uri']), filter.uris);
      default:
        return false;
    }
  }

  #say(notification: Message): void {
    this.#parts.write(splice(notification.bytes, envelopeOn(notification, this.#meta)));
  }
}
