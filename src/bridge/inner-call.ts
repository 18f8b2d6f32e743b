import type { Away, Call, Cancellation, Visitor } from '../calls/call.ts';

/** The requests by which a client makes one call: one at a time, or for a while none. */
export interface Rounds {
  readonly first: Call;
  /** The one that is open. */
  readonly open: Call | undefined;
  /** The last, open or not: what it declares counts from then on. */
  readonly latest: Call;
  readonly away: Away | undefined;
}

type Own = Pick<Call, 'tell' | 'stayAwake'> & Pick<Visitor, 'ask'> & { readonly cancellation: Cancellation };

/**
 * A parked call as its worker has it: it goes on while the client comes and goes. A class, because an object with getters
 * of its own for each call would make all code slow that sees one (decision 0004).
 */
export class InnerCall implements Call {
  readonly requestId;
  readonly tenantId;
  readonly keyName;
  readonly server;
  readonly message;
  readonly startedAt;
  readonly deadline;
  readonly cancellation;
  readonly visitor: Visitor;
  readonly tell;
  readonly stayAwake;
  openQuestions;
  place;
  readonly #rounds: Rounds;

  constructor(rounds: Rounds, { cancellation, tell, stayAwake, ask }: Own) {
    const { first } = rounds;
    this.requestId = first.requestId;
    this.tenantId = first.tenantId;
    this.keyName = first.keyName;
    this.server = first.server;
    this.message = first.message;
    this.startedAt = first.startedAt;
    this.deadline = first.deadline;
    this.openQuestions = first.openQuestions;
    this.place = first.place;
    this.cancellation = cancellation;
    this.tell = tell;
    this.stayAwake = stayAwake;
    this.visitor = new InnerVisitor(rounds, ask);
    this.#rounds = rounds;
  }

  get #current(): Call {
    return this.#rounds.open ?? this.#rounds.first;
  }

  get dispatched(): boolean {
    return this.#current.dispatched;
  }

  set dispatched(value: boolean) {
    this.#current.dispatched = value;
  }

  get heardAt(): number {
    return this.#current.heardAt;
  }

  set heardAt(value: number) {
    this.#current.heardAt = value;
  }
}

/** Each request of the client says anew what it can do, and what it wants to hear. */
class InnerVisitor implements Visitor {
  readonly ask;
  readonly #rounds: Rounds;

  constructor(rounds: Rounds, ask: Visitor['ask']) {
    this.#rounds = rounds;
    this.ask = ask;
  }

  get capabilities(): Visitor['capabilities'] {
    return this.#rounds.latest.visitor?.capabilities ?? {};
  }

  get clientInfo(): unknown {
    return this.#rounds.latest.visitor?.clientInfo;
  }

  get logLevel(): string | undefined {
    return this.#rounds.latest.visitor?.logLevel;
  }

  get away(): Away | undefined {
    return this.#rounds.away;
  }
}
