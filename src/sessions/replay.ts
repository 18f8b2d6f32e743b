import { randomBytes } from 'node:crypto';
import { ProxyError } from '../calls/error.ts';
import type { TenantId } from '../calls/ids.ts';
import { sizeOf, textOfParts } from '../mcp/parts.ts';
import type { Keeper, ReplayBudget } from './replay-budget.ts';
import {
  ResumableStream,
  type SessionStream,
  type StreamKind,
  type StreamMemory,
} from './resumable-stream.ts';

/** A message that was said, as it was. Text of one character per byte: it keeps no larger buffer alive. */
interface Kept {
  readonly stream: ResumableStream;
  readonly sequence: number;
  readonly text: string;
  readonly saidAt: number;
}

/** What a client that comes again has missed. */
export interface Missed {
  readonly stream: ResumableStream;
  readonly messages: readonly { readonly sequence: number; readonly text: string }[];
  /** Some of it is not kept any more. */
  readonly hasGap: boolean;
}

/** Of a kept message beside its text, in bytes; roughly. */
const overhead = 160;
const eventIdShape = /^([\w-]{16})-(listening|reply)(\d{1,15})-(\d{1,15})$/;

/**
 * What one session was told on its streams, for a client whose connection broke (2025-11-25 transports,
 * "Resumability and Redelivery"). The ids of events begin with a word of the session's own that cannot be guessed, so
 * that another session's are as unknown as made-up ones.
 */
export class Replay implements Keeper, StreamMemory {
  readonly tenantId: TenantId;
  bytes = 0;

  readonly #budget: ReplayBudget;
  readonly #word = randomBytes(12).toString('base64url');
  /** By name. A reply that is complete, or a listener that left, is found by what is kept of it. */
  readonly #inUse = new Map<string, ResumableStream>();
  #kept: Kept[] = [];
  #lastStream = 0;

  constructor(tenantId: TenantId, budget: ReplayBudget) {
    this.tenantId = tenantId;
    this.#budget = budget;
  }

  /** A new stream, on the connection it begins with. */
  open(kind: StreamKind, connection: SessionStream): ResumableStream {
    const name = `${kind}${++this.#lastStream}`;
    const stream = new ResumableStream({ kind, name }, connection, this);
    this.inUse(stream, true);
    return stream;
  }

  /**
   * What came after the event `lastEventId`. Undefined if that is a listening stream of which nothing is left: it had
   * nothing but news, so the client is better off with a new one than with none.
   * @throws {ProxyError} INVALID_REQUEST if nothing can be told again
   */
  missedSince(lastEventId: string): Missed | undefined {
    const [, word, kind = '', number = '', last] = eventIdShape.exec(lastEventId) ?? [];
    if (word !== this.#word) throw cannotReplay();
    const stream = this.#find(kind + number);
    if (stream) return this.#since(stream, Number(last));
    if (kind === 'listening') return undefined;
    throw cannotReplay();
  }

  idOf({ name }: ResumableStream, sequence: number): string {
    return `${this.#word}-${name}-${sequence}`;
  }

  /** What is larger than all that may be kept is a gap. */
  textOf(message: readonly Buffer[]): string | undefined {
    return sizeOf(message) + overhead > this.#budget.bounds.perSession ? undefined : textOfParts(message);
  }

  keep(stream: ResumableStream, text: string): void {
    const { events, perSession } = this.#budget.bounds;
    const size = text.length + overhead;
    this.#kept.push({ stream, sequence: stream.sequence, text, saidAt: this.#budget.now() });
    this.bytes += size;
    this.#budget.kept(this, size);
    while (this.#kept.length > events || this.bytes > perSession) this.forgetOldest();
  }

  inUse(stream: ResumableStream, isInUse: boolean): void {
    if (isInUse) this.#inUse.set(stream.name, stream);
    else this.#inUse.delete(stream.name);
  }

  #find(name: string): ResumableStream | undefined {
    return this.#inUse.get(name) ?? this.#kept.find(({ stream }) => stream.name === name)?.stream;
  }

  #since(stream: ResumableStream, sequence: number): Missed {
    const messages = this.#kept.filter((each) => each.stream === stream && each.sequence > sequence);
    const missing = stream.sequence - sequence - messages.length;
    // Less than none: what was never said.
    if (missing < 0 || (missing > 0 && stream.kind === 'reply')) throw cannotReplay();
    return { stream, messages, hasGap: missing > 0 };
  }

  forgetOldest(): void {
    const oldest = this.#kept.shift();
    if (oldest) this.#forgot(oldest);
  }

  forgetBefore(moment: number): void {
    for (let [oldest] = this.#kept; oldest && oldest.saidAt < moment; [oldest] = this.#kept)
      this.forgetOldest();
  }

  clear(): void {
    while (this.#kept.length > 0) this.forgetOldest();
    this.#inUse.clear();
  }

  #forgot({ text }: Kept): void {
    const size = text.length + overhead;
    this.bytes -= size;
    this.#budget.forgot(this, size);
  }
}

const cannotReplay = () =>
  new ProxyError(
    'INVALID_REQUEST',
    'Nothing can be told again from this Last-Event-ID: it is not known in this session, or too long ago. ' +
      'GET without Last-Event-ID opens a new stream; a request whose answer was lost has to be sent again',
  );
