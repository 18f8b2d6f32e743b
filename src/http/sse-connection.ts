import { randomBytes } from 'node:crypto';
import { ProxyError } from '../calls/error.ts';
import type { Admitted, Answer, Gateway } from '../gateway/gateway.ts';
import { type Message, readMessage } from '../mcp/message.ts';
import { methods } from '../mcp/methods.ts';
import { idTextOf, ownAnswer } from '../mcp/own-answer.ts';
import { errorBody } from './error-reply.ts';
import type { EventStream } from './event-stream.ts';

/** For a client that does not say who it is, because it said so on a stream that is no more. */
const anonymous = readMessage(
  Buffer.from(
    JSON.stringify({
      jsonrpc: '2.0',
      id: 0,
      method: methods.initialize,
      params: {
        protocolVersion: '2024-11-05',
        capabilities: {},
        clientInfo: { name: 'reconnected', version: '0' },
      },
    }),
  ),
);

/** One client of 2024-11-05: its event stream is its session, and all that it POSTs is answered there. */
export class SseConnection {
  readonly id = randomBytes(32).toString('base64url');
  /** Who opened it; nobody else may use it. */
  readonly caller: Admitted;

  readonly #gateway: Gateway;
  readonly #stream: EventStream;
  #opening: Promise<Answer> | undefined;

  constructor(gateway: Gateway, caller: Admitted, stream: EventStream) {
    this.#gateway = gateway;
    this.caller = caller;
    this.#stream = stream;
  }

  /** Has the client said anything that needs a session? */
  get isInUse(): boolean {
    return this.#opening !== undefined;
  }

  /** One message of the client's; what there is to answer goes out on the stream. @throws {ProxyError} INVALID_REQUEST */
  take(caller: Admitted, message: Message): void {
    if (message.kind !== 'request') void this.#accept(caller, message);
    else if (message.method === methods.initialize) this.#initialize(caller, message);
    else if (message.method === methods.ping) this.#say([ownAnswer(idTextOf(message), 'result', {})]);
    else void this.#answer(message, () => this.#exchange(caller, message));
  }

  /** The stream is no more, and the session with it: what is in flight is cancelled, for nobody could be told. */
  close(): void {
    this.#opening?.then(
      ({ opened }) => {
        if (opened && this.#gateway.findSession(this.caller, opened.id))
          this.#gateway.end(this.caller, opened.id);
      },
      () => undefined,
    );
  }

  #initialize(caller: Admitted, message: Message): void {
    if (this.#opening)
      throw new ProxyError('INVALID_REQUEST', 'This stream has its session already; open another stream');
    const opening = this.#open(caller, message);
    void this.#answer(message, () => opening);
  }

  /** Clients that lost their stream open another by themselves, and go on there without another `initialize`. */
  async #exchange(caller: Admitted, message: Message): Promise<Answer> {
    if (!this.#opening)
      this.#open(caller, anonymous).then(
        ({ opened }) => opened?.listen(this.#stream),
        () => undefined,
      );
    const session = await this.#opening;
    return this.#gateway.request(caller, this.#inbound(message, session?.opened?.id));
  }

  #open(caller: Admitted, message: Message): Promise<Answer> {
    const opening = this.#gateway.request(caller, this.#inbound(message, undefined));
    this.#opening = opening;
    // A client may try again.
    opening.catch(() => (this.#opening = undefined));
    return opening;
  }

  #inbound(message: Message, sessionId: string | undefined) {
    return { sessionId, message, tell: this.#say, stayAwake: () => undefined };
  }

  async #accept(caller: Admitted, message: Message): Promise<void> {
    const answer = await this.#opening?.catch(() => undefined);
    if (answer?.opened) this.#gateway.findSession(caller, answer.opened.id)?.accept(message);
  }

  async #answer(message: Message, ask: () => Promise<Answer>): Promise<void> {
    try {
      const { reply, opened } = await ask();
      this.#say(reply.parts);
      // Not before its answer: news of a session that the client does not know of yet would be lost on it.
      opened?.listen(this.#stream);
    } catch (thrown) {
      const error = ProxyError.from(thrown);
      if (error.code !== 'CANCELLED') this.#say([errorBody(error, idTextOf(message))]);
    }
  }

  readonly #say = (message: readonly Buffer[]): boolean => this.#stream.write(message);
}
