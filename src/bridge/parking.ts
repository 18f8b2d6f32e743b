import { type Away, type Call, Cancellation, type Question, type Reply } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import { InnerCall, type Rounds } from './inner-call.ts';
import { type Message, textOf } from '../mcp/message.ts';
import { idTextOf } from '../mcp/own-answer.ts';
import type { Clock } from '../time/clock.ts';
import type { StateOwner, StateSeal } from './request-state.ts';
import { inputRequired, toldIn } from './round.ts';

/** What a client answered, by the key of the question: JSON text, one character per byte. */
export type InputResponses = ReadonlyMap<string, string>;

export interface ParkingParts {
  readonly clock: Clock;
  readonly seal: StateSeal;
}

/** An answer for whichever request of the client is open when it comes: its id is put in last. */
export type AnswerFor = (idText: string) => Reply;

/** Siblings that a server asks in one go come to the client in one go, in milliseconds. */
const gatherMs = 15;
/** A client that does not come back within this gives the call up, in milliseconds. */
const parkedMs = 300_000;
/** So many answers of one server wait for clients that are away: each may be as large as the server likes. */
const maxKept = 16;

/**
 * A modern client calls a legacy server. When the server asks something in the middle of the call, the client gets
 * `input_required`, and the call waits on its worker until the client comes back with the answers (2026-07-28
 * basic/patterns/mrtr). The worker has no other call meanwhile.
 */
export class Parking {
  readonly #parts: ParkingParts;
  readonly #parked = new Map<number, ParkedCall>();
  /** Those that were answered while their client was away. */
  readonly #kept = new Set<number>();
  #lastId = 0;

  constructor(parts: ParkingParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#parked.size;
  }

  /** Run a call that may have to wait for answers. `start` puts it on a worker. */
  begin(call: Call, owner: StateOwner, start: (inner: Call) => Promise<AnswerFor>): Promise<Reply> {
    const id = ++this.#lastId;
    const { clock, seal } = this.#parts;
    const own = {
      clock,
      state: () => seal.seal(owner, { park: id }),
      kept: () => this.#keep(id),
      ended: () => this.#forget(id),
    };
    const parked = new ParkedCall(own, call);
    this.#parked.set(id, parked);
    const round = parked.round(call);
    parked.run(start);
    return round;
  }

  /** Go on with a parked call; undefined if it is no more. */
  resume(id: number, call: Call, responses: InputResponses): Promise<Reply> | undefined {
    return this.#parked.get(id)?.resume(call, responses);
  }

  #keep(id: number): void {
    if (!this.#parked.has(id)) return;
    this.#kept.add(id);
    const [oldest] = this.#kept;
    if (this.#kept.size > maxKept && oldest !== undefined) this.#forget(oldest);
  }

  #forget(id: number): void {
    this.#parked.get(id)?.stopTimer();
    this.#parked.delete(id);
    this.#kept.delete(id);
  }
}

interface ParkedParts {
  readonly clock: Clock;
  readonly state: () => string;
  /** Its answer is there, and its client is not. */
  readonly kept: () => void;
  readonly ended: () => void;
}

interface Open {
  readonly request: Message;
  readonly answer: (response: readonly Buffer[]) => void;
}

/** The request that the client has open just now, if it has one. */
interface Round {
  readonly call: Call;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

type Outcome = { readonly answer: AnswerFor } | { readonly error: Error };

class ParkedCall implements Rounds {
  readonly #parts: ParkedParts;
  readonly #questions = new Map<string, Open>();
  readonly #cancellation = new Cancellation();
  readonly first: Call;
  latest: Call;
  #round: Round | undefined;
  #outcome: Outcome | undefined;
  /** The client has its questions since then, and has not come back with the answers. */
  away: Away | undefined;
  #lastKey = 0;
  stopTimer: () => void = () => undefined;

  constructor(parts: ParkedParts, first: Call) {
    this.#parts = parts;
    this.first = first;
    this.latest = first;
  }

  get open(): Call | undefined {
    return this.#round?.call;
  }

  /** The client waits for an answer, or for the next question. */
  round(call: Call): Promise<Reply> {
    this.latest = call;
    this.away = undefined;
    this.stopTimer();
    return new Promise((resolve, reject) => {
      this.#round = { call, resolve, reject };
      call.cancellation.listen((reason) => {
        this.#cancellation.cancel(reason);
      });
    });
  }

  run(start: (inner: Call) => Promise<AnswerFor>): void {
    const inner = new InnerCall(this, {
      cancellation: this.#cancellation,
      tell: (message) => this.#tell(message),
      stayAwake: () => this.#round?.call.stayAwake(),
      ask: (request, answer) => this.#ask(request, answer),
    });
    start(inner).then(
      (answer) => this.#settle({ answer }),
      (error: unknown) => this.#settle({ error: ProxyError.from(error) }),
    );
  }

  /** Undefined if another request of the client is at it already. */
  resume(call: Call, responses: InputResponses): Promise<Reply> | undefined {
    if (this.#round) return undefined;
    // Whatever comes of it: the worker has been at it since the first round.
    call.dispatched = true;
    const round = this.round(call);
    for (const [key, result] of responses) this.#answer(key, result);
    if (this.#outcome) this.#settle(this.#outcome);
    else if (this.#questions.size > 0) this.#park();
    return round;
  }

  #tell(message: readonly Buffer[]): boolean {
    const { call } = this.#round ?? {};
    const told = call && call !== this.first ? toldIn(call.message, message) : message;
    return told !== undefined && call?.tell(told) === true;
  }

  #ask(request: Message, answer: Open['answer']): Question {
    const key = `r${++this.#lastKey}`;
    this.#questions.set(key, { request, answer });
    if (this.#questions.size === 1) {
      this.#parts.clock.after(gatherMs, () => {
        if (this.#round && this.#questions.size > 0) this.#park();
      });
    }
    return { withdraw: () => this.#questions.delete(key) };
  }

  #answer(key: string, result: string): void {
    const question = this.#questions.get(key);
    if (!question?.request.id) return;
    this.#questions.delete(key);
    const idText = textOf(question.request.bytes, question.request.id);
    question.answer([Buffer.from(`{"jsonrpc":"2.0","id":${idText},"result":${result}}`, 'latin1')]);
  }

  /** Hand the questions to the client; the call waits for it to come back. */
  #park(): void {
    const round = this.#round;
    this.#round = undefined;
    if (!round) return;
    const { clock } = this.#parts;
    const away: Away = { since: clock.now(), giveUp: () => this.#giveUp() };
    this.away = away;
    // A client that has left before it had the questions does not know what to come back to.
    round.call.cancellation.listen(() => {
      if (this.away === away) this.#giveUp();
    });
    this.stopTimer = clock.after(parkedMs, away.giveUp);
    const asked = new Map([...this.#questions].map(([key, { request }]) => [key, request]));
    const parts = [inputRequired(round.call.message, asked, this.#parts.state())];
    round.resolve({ parts, isError: false });
  }

  #giveUp(): void {
    this.#cancellation.cancel(new ProxyError('CANCELLED', 'The client did not come back with its answers'));
    this.#parts.ended();
  }

  /** The worker has answered, or never will. The last word waits for the client, if that is away. */
  #settle(outcome: Outcome): void {
    this.#outcome = outcome;
    const round = this.#round;
    if (!round) return this.#parts.kept();
    this.#round = undefined;
    this.#parts.ended();
    round.call.cancellation.listen(undefined);
    if ('error' in outcome) round.reject(outcome.error);
    else round.resolve(outcome.answer(idTextOf(round.call.message)));
  }
}
