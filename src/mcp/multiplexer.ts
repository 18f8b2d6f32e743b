import { methods } from './methods.ts';
import { type Message, readMessage, splitBatch, textOf } from './message.ts';
import { Slots } from './slots.ts';
import { type Edit, splice } from './splice.ts';

/** Who waits for one answer. Exactly one of `reply` and `fail` is called, once. */
export interface Waiter {
  /** The answer as the worker wrote it; `idText` is to stand where its id stands. */
  reply(response: Message, idText: string): void;
  /** A progress notification, with the asker's own token back in it. */
  progress(notification: readonly Buffer[]): void;
  fail(error: Error): void;
  /** Asked on the proxy's own account, and no reason to call the worker busy. */
  readonly isBackground?: true;
  /** About a task: what the server says because of it names the task, so it stands beside the calls and not among them. */
  readonly isAside?: boolean;
}

/** The response with the asker's own id in it, and other edits. */
export function answerOf(response: Message, idText: string, edits: readonly Edit[] = []): Buffer[] {
  const { bytes, id } = response;
  return splice(bytes, id ? [{ span: id, text: idText }, ...edits] : edits);
}

/** What the worker says of itself, and what it does wrong. */
export interface MultiplexerListener {
  request(message: Message): void;
  notification(message: Message): void;
  /** It answered a call that was given up. */
  answeredLate(): void;
  /** Progress of what was answered already, or of nothing at all. */
  strayProgress(message: Message, innerId: number): void;
  /** The worker broke the protocol in a way that could reach the wrong caller: it must go. */
  violation(reason: string): void;
}

interface Entry {
  readonly originalId: string;
  readonly originalToken: string | undefined;
  readonly waiter: Waiter;
}

/** Late answers to calls given up are expected; this many are remembered. */
const maxAbandoned = 10_000;
/** Answers nobody waits for, e.g. doubles, before the worker is taken for broken. */
const maxStrays = 3;
/** Messages that a worker may write as one batch. */
const maxBatch = 1000;

/**
 * Many callers over one worker. Every request gets an id of our own, from 1 and never reused in the
 * worker's life, and every answer the caller's id back, byte for byte; progress tokens likewise.
 * Two clients, or one that sends `id: 1` for everything, therefore never get each other's answers.
 */
export class Multiplexer {
  readonly #send: (line: readonly Buffer[]) => void;
  readonly #listener: MultiplexerListener;
  readonly #waiting = new Slots<Entry>();
  readonly #abandoned = new Set<number>();
  #lastId = 0;
  #strays = 0;
  #background = 0;
  #asides = 0;

  constructor(send: (line: readonly Buffer[]) => void, listener: MultiplexerListener) {
    this.#send = send;
    this.#listener = listener;
  }

  /** Calls given up that the worker has not answered; it may still be at work on them. */
  get abandoned(): number {
    return this.#abandoned.size;
  }

  get inFlight(): number {
    return this.#waiting.size - this.#background;
  }

  /** Calls in flight that are not asides. */
  get occupied(): number {
    return this.inFlight - this.#asides;
  }

  /** Who waits, if it is exactly one; an aside only if nobody else does. */
  get sole(): Waiter | undefined {
    const { occupied } = this;
    if (occupied !== 1 && (occupied > 1 || this.#asides !== 1)) return undefined;
    const isMeant = (waiter: Waiter) => !waiter.isBackground && (occupied === 0 || waiter.isAside !== true);
    return this.#waiting.values().find(({ waiter }) => isMeant(waiter))?.waiter;
  }

  /** Who waits, the first to come first. */
  *waiters(): Iterable<Waiter> {
    for (const { waiter } of this.#waiting.values()) if (!waiter.isBackground) yield waiter;
  }

  /** Send a request, with other edits than those of its id and token; returns the id it has on the worker. */
  request(message: Message, waiter: Waiter, further: readonly Edit[] = []): number {
    const { bytes, id, metaToken } = message;
    if (!id) throw new TypeError('A request has an id');
    const innerId = ++this.#lastId;
    const text = String(innerId);
    this.#waiting.add(innerId, {
      originalId: textOf(bytes, id),
      originalToken: metaToken && textOf(bytes, metaToken),
      waiter,
    });
    if (waiter.isBackground) this.#background++;
    else if (waiter.isAside) this.#asides++;
    const edits = [{ span: id, text }, ...further];
    if (metaToken) edits.push({ span: metaToken, text });
    this.#send(splice(bytes, edits, '\n'));
    return innerId;
  }

  /** Give a request up and tell the worker; a late answer is dropped. The waiter hears nothing more. */
  cancel(innerId: number): void {
    if (!this.#take(innerId)) return;
    this.#abandoned.add(innerId);
    if (this.#abandoned.size > maxAbandoned) {
      const [oldest] = this.#abandoned;
      this.#abandoned.delete(oldest ?? 0);
    }
    this.notify(`{"jsonrpc":"2.0","method":"${methods.cancelled}","params":{"requestId":${innerId}}}`);
  }

  /** Send one JSON text of our own as a line. */
  notify(json: string): void {
    this.#send([Buffer.from(`${json}\n`)]);
  }

  /** One line from the worker: a message, or a batch of them (2025-03-26). @throws {MalformedMessage} if it is neither. */
  receive(line: Buffer, maxDepth: number): void {
    const batch = line[0] === 0x5b ? splitBatch(line, maxBatch, maxDepth) : undefined;
    for (const each of batch ?? [line]) this.#receive(readMessage(each, maxDepth));
  }

  #receive(message: Message): void {
    if (message.kind === 'response') this.#settle(message);
    else if (message.kind === 'request') this.#asked(message);
    else if (message.method === methods.progress) this.#progress(message);
    else this.#listener.notification(message);
  }

  /** The worker is gone: everybody who still waits gets `error`. Returns how many calls that were. */
  failAll(error: Error): number {
    const calls = this.inFlight;
    const waiting = this.#waiting.values();
    this.#waiting.clear();
    this.#background = 0;
    this.#asides = 0;
    for (const { waiter } of waiting) waiter.fail(error);
    return calls;
  }

  #settle(message: Message): void {
    const { bytes, id } = message;
    if (!id) return;
    const innerId = innerIdOf(textOf(bytes, id));
    const entry = this.#take(innerId);
    if (!entry) return this.#stray(innerId);
    entry.waiter.reply(message, entry.originalId);
  }

  #take(innerId: number): Entry | undefined {
    const entry = this.#waiting.take(innerId);
    if (entry?.waiter.isBackground) this.#background--;
    else if (entry?.waiter.isAside) this.#asides--;
    return entry;
  }

  /** An id never given out can only be made up; a double may be a slip, three are not. */
  #stray(innerId: number): void {
    if (this.#abandoned.delete(innerId)) return this.#listener.answeredLate();
    if (Number.isNaN(innerId) || innerId > this.#lastId) {
      this.#listener.violation('it answered a request that was never made');
    } else if (++this.#strays >= maxStrays) {
      this.#listener.violation('it answered requests twice');
    }
  }

  #asked(message: Message): void {
    if (message.method !== methods.ping) return this.#listener.request(message);
    if (message.id)
      this.notify(
        `{"jsonrpc":"2.0","id":${message.bytes.toString('utf8', message.id.start, message.id.end)},"result":{}}`,
      );
  }

  #progress(message: Message): void {
    const { bytes, token } = message;
    if (!token) return;
    const innerId = innerIdOf(textOf(bytes, token));
    const entry = this.#waiting.get(innerId);
    if (!entry) return this.#listener.strayProgress(message, innerId);
    if (entry.originalToken === undefined) return;
    entry.waiter.progress(splice(bytes, [{ span: token, text: entry.originalToken }]));
  }
}

/** Strict: `"1"`, `1.0` and `01` are not the 1 we sent. NaN if it is no id of ours. */
function innerIdOf(text: string): number {
  return /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
}
