import type { Principal } from '../auth/principal.ts';
import type { Call, Question } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import type { SessionId, TenantId } from '../calls/ids.ts';
import type { Caller, Line } from '../calls/upstream.ts';
import { methods } from '../mcp/methods.ts';
import { type Message, textOf } from '../mcp/message.ts';
import { idTextOf, ownAnswer } from '../mcp/own-answer.ts';
import { splice } from '../mcp/splice.ts';
import { Replay } from './replay.ts';
import type { ReplayBudget } from './replay-budget.ts';
import type { SessionStream } from './resumable-stream.ts';

/** What is known of a session from its first request on. */
export interface Opening {
  readonly now: () => number;
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** The revision that was agreed on. */
  readonly protocolVersion: string;
  readonly replayBudget: ReplayBudget;
}

/** Messages kept for a client that has no stream open right now. */
const maxBacklog = { messages: 64, bytes: 256 * 1024 };
/** Streams open at once; clients that lose one open another, so the oldest is the one to close. */
const maxStreams = 4;
/** Questions of the server that the client has not answered. */
const maxQuestions = 64;

/** A question of the server, under the number it has on the session. */
interface OpenQuestion {
  /** The server's own. */
  readonly idText: string;
  readonly call: Call | undefined;
  readonly answer: (response: readonly Buffer[]) => void;
}

/** One client's stay: who it is, what it waits for, and where it listens. Belongs to one key and one server. */
export class Session implements Caller {
  readonly id: SessionId;
  readonly owner: Principal;
  readonly server: string;
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly protocolVersion: string;
  readonly openedAt: number;
  lastUsedAt: number;
  calls = 0;

  readonly #inFlight: Call[] = [];
  readonly #questions = new Map<string, OpenQuestion>();
  readonly #streams: SessionStream[] = [];
  #backlog: (readonly Buffer[])[] = [];
  readonly #now: () => number;
  #lastQuestion = 0;
  #whenIdle: (() => void) | undefined;
  #line: Line | undefined;
  readonly #replayBudget: ReplayBudget;
  #replay: Replay | undefined;

  constructor(id: SessionId, owner: Principal, server: string, opening: Opening) {
    this.id = id;
    this.owner = owner;
    this.server = server;
    this.#now = opening.now;
    this.openedAt = opening.now();
    this.lastUsedAt = this.openedAt;
    this.capabilities = opening.capabilities;
    this.protocolVersion = opening.protocolVersion;
    this.#replayBudget = opening.replayBudget;
  }

  /** The session's way to its server, from the moment it is open. */
  get line(): Line {
    if (!this.#line)
      throw new ProxyError('SESSION_NOT_FOUND', 'No such session; open a new one with initialize');
    return this.#line;
  }

  set line(line: Line) {
    this.#line = line;
  }

  get tenantId(): TenantId {
    return this.owner.tenantId;
  }

  get keyName(): string {
    return this.owner.keyName;
  }

  /** Older clients take an event without data for a broken message. */
  get readsEmptyEvents(): boolean {
    return this.protocolVersion >= '2025-11-25';
  }

  /** How long its client is asked to wait before it connects again, in milliseconds. */
  get retryMs(): number {
    return this.#replayBudget.bounds.retry;
  }

  /** What its client can be told again; undefined if nothing is kept. */
  get replay(): Replay | undefined {
    if (this.#replayBudget.bounds.events === 0) return undefined;
    return (this.#replay ??= new Replay(this.tenantId, this.#replayBudget));
  }

  get isListening(): boolean {
    return this.#streams.length > 0;
  }

  get inFlight(): number {
    return this.#inFlight.length;
  }

  /** Remember a call while it runs, so that the client can cancel it by its own id. */
  began(call: Call): void {
    this.calls++;
    this.#inFlight.push(call);
  }

  ended(call: Call): void {
    const at = this.#inFlight.indexOf(call);
    const last = this.#inFlight.pop();
    if (last && last !== call) this.#inFlight[at] = last;
    this.#touch();
    if (this.#inFlight.length === 0) this.#whenIdle?.();
  }

  /** Run `end` once no call is in flight: what has begun is finished first. */
  whenIdle(end: () => void): void {
    if (this.#inFlight.length === 0) end();
    else this.#whenIdle = end;
  }

  /** What the client sends that wants no answer: notifications, and its answers to the server's questions. */
  accept(message: Message): void {
    if (message.kind === 'response') this.#answered(message);
    else if (message.method === methods.cancelled) this.#cancelled(message);
    else this.#line?.send(message);
  }

  /** Who stays only for its calls, because its key is worth nothing any more, hears of those only. */
  hear(notification: Message, call: Call | undefined): void {
    if (!call && this.#whenIdle) return;
    this.#tell([notification.bytes], call);
  }

  ask(
    request: Message,
    call: Call | undefined,
    answer: (response: readonly Buffer[]) => void,
  ): Question | undefined {
    if (!request.id) return undefined;
    if (this.#questions.size >= maxQuestions) this.#withdrawOldest();
    if (this.#questions.size >= maxQuestions) return undefined;
    // Every process numbers its questions from 0; on the session they need numbers of their own.
    const text = String(++this.#lastQuestion);
    const asked = splice(request.bytes, [{ span: request.id, text }]);
    // Who left before the first word of the answer has nothing to come again with: nobody will ever answer.
    if (call?.tell(asked) === false) return undefined;
    if (call) call.openQuestions++;
    else this.#tell(asked, undefined);
    this.#questions.set(text, { idText: textOf(request.bytes, request.id), call, answer });
    return { withdraw: () => this.#withdraw(text) };
  }

  /** Of the questions of calls that are over, which nobody may ever answer, the oldest makes room. */
  #withdrawOldest(): void {
    for (const [text, { call, answer, idText }] of this.#questions) {
      if (!call || this.#inFlight.includes(call)) continue;
      this.#withdraw(text);
      answer([ownAnswer(idText, 'error', { code: -32603, message: 'The client has not answered' })]);
      return;
    }
  }

  #withdraw(text: string): void {
    const question = this.#takeQuestion(text);
    if (!question) return;
    const params = { requestId: Number(text), reason: 'The server does not need the answer any more' };
    const notification = { jsonrpc: '2.0', method: methods.cancelled, params };
    const isOver = question.call && !this.#inFlight.includes(question.call);
    this.#tell([Buffer.from(JSON.stringify(notification))], isOver ? undefined : question.call);
  }

  #takeQuestion(text: string): OpenQuestion | undefined {
    const question = this.#questions.get(text);
    this.#questions.delete(text);
    if (question?.call) {
      question.call.openQuestions--;
      question.call.heardAt = this.#now();
    }
    return question;
  }

  #touch(): void {
    this.lastUsedAt = this.#now();
  }

  /** Listen on `stream`; the newest stream gets what comes, older ones stay open and silent. */
  listen(stream: SessionStream): void {
    // One that is resumed becomes the newest.
    if (this.#streams.includes(stream)) this.#streams.splice(this.#streams.indexOf(stream), 1);
    this.#streams.push(stream);
    if (this.#streams.length > maxStreams) this.#streams.shift()?.close();
    for (let next = this.#backlog[0]; next && stream.write(next); next = this.#backlog[0])
      this.#backlog.shift();
  }

  unlisten(stream: SessionStream): void {
    const at = this.#streams.indexOf(stream);
    if (at !== -1) this.#streams.splice(at, 1);
    this.#touch();
  }

  close(reason: string): void {
    const error = new ProxyError('CANCELLED', 'The session was closed');
    for (const { cancellation } of [...this.#inFlight]) cancellation.cancel(error);
    for (const stream of this.#streams.splice(0)) stream.close();
    this.#backlog = [];
    this.#questions.clear();
    this.#replay?.clear();
    this.#line?.hangUp(reason);
  }

  #tell(message: readonly Buffer[], call: Call | undefined): void {
    if (call) {
      call.tell(message);
      return;
    }
    const stream = this.#streams.at(-1);
    if (stream?.write(message)) return;
    if (this.#backlog.some((waiting) => isSame(waiting, message))) return;
    this.#backlog.push(message);
    while (this.#backlog.length > maxBacklog.messages || sizeOf(this.#backlog) > maxBacklog.bytes)
      this.#backlog.shift();
  }

  #answered(message: Message): void {
    const { bytes, id } = message;
    if (!id) return;
    const question = this.#takeQuestion(textOf(bytes, id));
    question?.answer(splice(bytes, [{ span: id, text: question.idText }]));
  }

  /** A client that uses one id for several calls at once cannot say which it means; then nothing is cancelled. */
  #cancelled(message: Message): void {
    const { bytes, requestId } = message;
    if (!requestId) return;
    const id = textOf(bytes, requestId);
    const meant = this.#inFlight.filter(({ message: each }) => idTextOf(each) === id);
    const [call] = meant;
    if (meant.length !== 1 || call?.message.method === methods.initialize) return;
    call?.cancellation.cancel(new ProxyError('CANCELLED', 'The client cancelled the call'));
  }
}

const sizeOf = (messages: readonly (readonly Buffer[])[]) =>
  messages.flat().reduce((total, part) => total + part.length, 0);

/** `list_changed` said twice is said once; a client that was away needs it only once. */
function isSame(a: readonly Buffer[], b: readonly Buffer[]): boolean {
  return a.length === 1 && b.length === 1 && a[0] !== undefined && b[0] !== undefined && a[0].equals(b[0]);
}
