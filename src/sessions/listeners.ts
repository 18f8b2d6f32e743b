import type { Call } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import type { ServerFacts } from '../mcp/handshake.ts';
import { idTextOf } from '../mcp/own-answer.ts';
import { honoured, type ListenFilter } from '../mcp/listen-filter.ts';
import { Listener } from './listener.ts';

/** Where a listener's messages go: the stream of its one long answer. */
export interface ListenerStream {
  write(message: readonly Buffer[]): boolean;
  close(): void;
}

interface Place {
  readonly stream: () => ListenerStream;
  isOpen: boolean;
  line?: { hangUp(reason: string): void };
}

export interface ListenerBounds {
  readonly max: number;
  readonly maxPerTenant: number;
}

/** Callers of the modern era who wait for news, of all servers. */
export class Listeners {
  readonly #bounds: ListenerBounds;
  readonly #places = new Map<Listener, Place>();
  readonly #perTenant = new Map<string, number>();

  constructor(bounds: ListenerBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#places.size;
  }

  /** Throws TENANT_BUSY or OVERLOADED when too many listen. */
  open(call: Call, wanted: ListenFilter, facts: ServerFacts, openStream: () => ListenerStream): Listener {
    this.#requireRoom(call.tenantId);
    let opened: ListenerStream | undefined;
    const stream = () => (opened ??= openStream());
    const listener = new Listener({
      tenantId: call.tenantId,
      keyName: call.keyName,
      server: call.server,
      capabilities: call.visitor?.capabilities ?? {},
      idText: idTextOf(call.message),
      filter: honoured(wanted, facts),
      identity: facts.identity,
      // Nothing comes ahead of the acknowledgement.
      write: (message) => place.isOpen && stream().write(message),
    });
    const place: Place = { stream, isOpen: false };
    this.#places.set(listener, place);
    this.#count(call.tenantId, 1);
    return listener;
  }

  /** `line` is what it hears through. Throws UNAVAILABLE if it was ended before it began: asked again, its caller learns why. */
  begin(listener: Listener, line: { hangUp(reason: string): void }): void {
    const place = this.#places.get(listener);
    if (!place) {
      line.hangUp('nobody listens any more');
      throw new ProxyError('UNAVAILABLE', 'There is nothing to listen to any more; ask again');
    }
    place.line = line;
    place.isOpen = true;
    listener.acknowledge();
    const { tools, prompts, resources, uris } = listener.filter;
    if (!tools && !prompts && !resources && uris.length === 0) this.endWhere((each) => each === listener);
  }

  /** Nobody listens any more. */
  close(listener: Listener): void {
    const place = this.#places.get(listener);
    if (!place) return;
    this.#places.delete(listener);
    this.#count(listener.tenantId, -1);
    place.line?.hangUp('its caller listens no more');
    if (place.isOpen) place.stream().close();
    place.isOpen = false;
  }

  /** Tell these that there will be nothing more to hear, and end them. */
  endWhere(test: (listener: Listener) => boolean): void {
    for (const listener of [...this.#places.keys()]) {
      if (!test(listener)) continue;
      listener.sayGoodbye();
      this.close(listener);
    }
  }

  #count(tenantId: string, step: number): void {
    const now = (this.#perTenant.get(tenantId) ?? 0) + step;
    if (now > 0) this.#perTenant.set(tenantId, now);
    else this.#perTenant.delete(tenantId);
  }

  #requireRoom(tenantId: string): void {
    const isTenantFull = (this.#perTenant.get(tenantId) ?? 0) >= this.#bounds.maxPerTenant;
    if (!isTenantFull && this.#places.size < this.#bounds.max) return;
    const code = isTenantFull ? 'TENANT_BUSY' : 'OVERLOADED';
    throw new ProxyError(code, 'Too many callers listen already; close a stream, or try again shortly', {
      retryAfterMs: 5000,
    });
  }
}
