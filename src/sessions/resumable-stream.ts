/** A connection that a session's messages can go out on. */
export interface SessionStream {
  /**
   * False if it can take no more; it is then closed. `eventId`: what a client names to go on from there. `text`: the message
   * with one character per byte, from who has it already.
   */
  write(message: readonly Buffer[], eventId?: string, text?: string): boolean;
  close(): void;
}

/** `listening`: a GET for what belongs to no call; `reply`: the answer to a POST, and what comes ahead of it. */
export type StreamKind = 'listening' | 'reply';

/** What a stream needs of those who remember it. */
export interface StreamMemory {
  idOf(stream: ResumableStream, sequence: number): string;
  /** As it is kept; undefined if it is too much for that. */
  textOf(message: readonly Buffer[]): string | undefined;
  keep(stream: ResumableStream, text: string): void;
  /** Somebody writes to it, or may; otherwise it is known only for what is kept of it. */
  inUse(stream: ResumableStream, isInUse: boolean): void;
}

/** One stream of a session, over however many connections: each message on one stream only, and in order. */
export class ResumableStream implements SessionStream {
  readonly kind: StreamKind;
  /** No other of its session has it. */
  readonly name: string;
  /** The number of the last message. */
  sequence = 0;
  /** The reply is complete. */
  isEnded = false;

  readonly #memory: StreamMemory;
  #connection: SessionStream | undefined;

  constructor(
    { kind, name }: Pick<ResumableStream, 'kind' | 'name'>,
    connection: SessionStream,
    memory: StreamMemory,
  ) {
    this.kind = kind;
    this.name = name;
    this.#connection = connection;
    this.#memory = memory;
  }

  /** The id of the last event; of the stream's beginning, if there was none. */
  get eventId(): string {
    return this.#memory.idOf(this, this.sequence);
  }

  /** A reply takes everything, connected or not: its client may come again. */
  write(message: readonly Buffer[]): boolean {
    const memory = this.#memory;
    const next = this.sequence + 1;
    const text = memory.textOf(message);
    const isSent = this.#connection?.write(message, memory.idOf(this, next), text) ?? false;
    if (!isSent && this.kind === 'listening') return false;
    this.sequence = next;
    if (text !== undefined) memory.keep(this, text);
    return true;
  }

  /** Go on over another connection, after what was missed; the one before is closed. */
  resume(
    connection: SessionStream,
    missed: readonly { readonly sequence: number; readonly text: string }[],
  ): void {
    this.#connection?.close();
    this.#connection = connection;
    this.#memory.inUse(this, true);
    for (const { sequence, text } of missed)
      connection.write([Buffer.from(text, 'latin1')], this.#memory.idOf(this, sequence), text);
    if (this.isEnded) this.close();
  }

  /** Its client may come again on another connection. False if it already has. */
  disconnected(connection: SessionStream): boolean {
    if (this.#connection !== connection) return false;
    this.#connection = undefined;
    if (this.kind === 'listening') this.#memory.inUse(this, false);
    return true;
  }

  /** After a reply there will be nothing more; a client that listens may come again. */
  close(): void {
    this.isEnded = this.kind === 'reply';
    this.#connection?.close();
    this.#connection = undefined;
    this.#memory.inUse(this, false);
  }
}
