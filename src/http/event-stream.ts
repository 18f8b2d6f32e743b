import type { ServerResponse } from 'node:http';
import { sizeOf, textOfParts } from '../mcp/parts.ts';
import type { SessionStream } from '../sessions/resumable-stream.ts';

/** A stream whose reader does not keep up with so much is closed rather than kept in memory. */
const maxBufferedBytes = 8 * 1024 * 1024;

const headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};
const before = 'event: message\ndata: ';
const after = '\n\n';

/** Up to this much is joined to one piece, which goes out in one write. */
const joinUpTo = 64 * 1024;

/** Server-sent events on one response; each message is one event, sent as the bytes that came. */
export interface EventStream extends SessionStream {
  /** False once the client is gone or too slow. */
  write(message: readonly Buffer[], eventId?: string, text?: string): boolean;
  /** An event of another kind, or the id to begin with: `fields` are its lines. */
  writeEvent(fields: readonly string[]): void;
  /** Keeps the connection and the proxies on its way awake. */
  comment(text?: string): void;
  /** Let the client know at once that the stream is open, where nothing is written yet. */
  flush(): void;
  close(): void;
}

/** The head goes out with what is written first. */
export const openEventStream = (
  response: ServerResponse,
  extra: Readonly<Record<string, string>> = {},
): EventStream => new HttpEventStream(response, extra);

/**
 * What is said in one turn of the event loop leaves in one piece: most of what a small event costs is its way into the
 * kernel, and progress often comes together with the answer. A stream that ends in the turn it began in then has a length,
 * like any other answer.
 */
class HttpEventStream implements EventStream {
  readonly #response: ServerResponse;
  readonly #extra: Readonly<Record<string, string>>;
  readonly #patience = new Patience();
  /** Of this turn, in order. Text has one character per byte. */
  #said: (string | Buffer)[] = [];
  #isGathering = false;
  #isClosed = false;

  constructor(response: ServerResponse, extra: Readonly<Record<string, string>>) {
    this.#response = response;
    this.#extra = extra;
  }

  get #isOpen(): boolean {
    return !this.#isClosed && !this.#response.writableEnded && !this.#response.destroyed;
  }

  write(message: readonly Buffer[], eventId?: string, text?: string): boolean {
    if (!this.#isOpen) return false;
    const size = sizeOf(message);
    if (!this.#patience.keepsUp(this.#isGathering ? undefined : this.#response.writableLength, size)) {
      this.#response.destroy();
      return false;
    }
    const head = eventId === undefined ? before : `id: ${eventId}\n${before}`;
    if (size <= joinUpTo) this.#say(head + (text ?? textOfParts(message)) + after);
    else {
      this.#say(head);
      this.#said.push(...message);
      this.#say(after);
    }
    return true;
  }

  writeEvent(fields: readonly string[]): void {
    if (this.#isOpen) this.#say(`${fields.join('\n')}\n\n`);
  }

  comment(text = 'alive'): void {
    if (this.#isOpen) this.#say(`: ${text}\n\n`);
  }

  flush(): void {
    if (!this.#isOpen) return;
    this.#begin();
    this.#response.flushHeaders();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isClosed = true;
    this.#send();
  }

  #say(text: string): void {
    this.#gather();
    const said = this.#said;
    const last = said.at(-1);
    if (typeof last === 'string' && last.length + text.length <= joinUpTo)
      said[said.length - 1] = last + text;
    else said.push(text);
  }

  /** `length` of what is said whole at once, in bytes. */
  #begin(length?: number): void {
    if (this.#response.headersSent) return;
    const size = length === undefined ? {} : { 'content-length': length };
    this.#response.writeHead(200, { ...headers, ...this.#extra, ...size });
  }

  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    setImmediate(() => this.#send());
  }

  #send(): void {
    this.#isGathering = false;
    const response = this.#response;
    const said = this.#said;
    this.#said = [];
    if (response.writableEnded || response.destroyed) return;
    if (this.#isClosed && said.length <= 1) this.#sendWhole(said[0]);
    else this.#sendOn(said);
  }

  #sendWhole(said: string | Buffer | undefined): void {
    this.#begin(said?.length ?? 0);
    this.#response.end(said, 'latin1');
  }

  #sendOn(said: readonly (string | Buffer)[]): void {
    const response = this.#response;
    this.#begin();
    // Corked is the socket: a corked response loses events on Node 24.
    const { socket } = response;
    socket?.cork();
    for (const each of said) response.write(each, 'latin1');
    if (this.#isClosed) response.end();
    socket?.uncork();
  }
}

/**
 * Does the reader keep up? What is said in one turn nobody can have read before the turn is over, and one answer alone may
 * be larger than the bound: so what counts is what was left before the turn, beyond the most that one turn has added to it.
 */
class Patience {
  #saidInTurn = 0;
  #mostInTurn = 0;

  /** Asked with the size of each message, and for the first of a turn with what is left of those before it. */
  keepsUp(left: number | undefined, size: number): boolean {
    if (left !== undefined) {
      this.#saidInTurn = 0;
      if (left > maxBufferedBytes + this.#mostInTurn) return false;
      if (left <= maxBufferedBytes) this.#mostInTurn = 0;
    }
    this.#saidInTurn += size;
    this.#mostInTurn = Math.max(this.#mostInTurn, this.#saidInTurn);
    return true;
  }
}

/** What a client can name to go on from, before the first message (2025-11-25 transports, "Sending Messages"). */
export function prime(stream: EventStream, eventId: string, retryMs: number): void {
  stream.writeEvent([`id: ${eventId}`, `retry: ${retryMs}`, 'data: ']);
}
