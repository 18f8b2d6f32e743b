import { errorCodeOf } from '../bridge/error-code.ts';
import type { Call, Question } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import { initializedNotification, type ServerFacts } from '../mcp/handshake.ts';
import { memberOf } from '../mcp/members.ts';
import { type Message, readMessage, textOf, valueOf } from '../mcp/message.ts';
import { methods, urlElicitationRequired } from '../mcp/methods.ts';
import { Multiplexer, type Waiter } from '../mcp/multiplexer.ts';
import { type Edit, splice } from '../mcp/splice.ts';
import type { Clock } from '../time/clock.ts';
import type { AttachedLine } from './attached-line.ts';
import { type CallOfLine, callsAmong, isCall } from './call-of-line.ts';
import { greet } from './greet.ts';
import { keepNewest } from '../mcp/keep-newest.ts';
import { logListenerOf, WorkerLogLevel } from './log-level.ts';
import { modernParams, type WorkerKind } from './kind.ts';
import { ModernListen } from './modern-listen.ts';

export interface ConversationParts {
  readonly kind: WorkerKind;
  readonly clock: Clock;
  /** The sessions that live on the worker, live. */
  readonly lines: ReadonlySet<AttachedLine>;
  readonly send: (line: readonly Buffer[]) => void;
  readonly listener: ConversationListener;
}

export interface ConversationListener {
  request(message: Message): void;
  notification(message: Message): void;
  /** A call was answered, or is over for another reason. */
  finished(call: Call): void;
  /** A call that was put on the worker at `putAt` got no answer in its time. */
  timedOut(putAt: number): void;
  violation(reason: string): void;
}

/** A question of the server that waits for its answer, and the call it was asked for, if that is known. */
export interface OpenQuestion extends Question {
  readonly call: Call | undefined;
  /** Who was asked. */
  readonly line: AttachedLine;
  /** Under which the server hears of progress: JSON text; undefined: it does not want to. */
  readonly tokenText: string | undefined;
}

/** A call as it is put on a worker. */
export interface Placed {
  readonly call: Call;
  readonly line: AttachedLine;
  /** What is changed in its message. */
  readonly edits: readonly Edit[];
  /** It is about a task: see `Waiter.isAside`. */
  readonly isAside?: true;
}

/** What becomes of an answer; `idText` is to stand where its id stands. */
export type ReadAnswer<Result> = (response: Message, idText: string) => Result;

const maxReplyDepth = 256;
/** Of tasks whose progress is passed on; older ones are silent. */
const maxTaskTokens = 1000;
/** Of pages that clients were sent to; what is said of older ones is dropped. */
const maxElicitations = 1000;

/** What is said between the proxy and one worker, in the worker's era. */
export class Conversation {
  /** It has answered a call. */
  hasAnswered = false;
  /** Whose calls were given up and are not answered; it may still be at work on them. Empty: of several. */
  unansweredOf: string | undefined;
  /** Questions of the server that wait for an answer, by its own id. */
  readonly questions = new Map<string, OpenQuestion>();
  /** Whom the server has sent to a page, by its own id of that. */
  readonly elicitations = new Map<string, AttachedLine>();
  /** How much a legacy worker logs. */
  readonly logs: WorkerLogLevel | undefined;
  /** What the server said of itself. */
  #facts: ServerFacts | undefined;
  /** When what it may still be at work on can be over, on the proxy's clock. */
  #doubtUntil = 0;
  /** Tokens of calls that became tasks, by the id they had on the worker. */
  readonly #taskTokens = new Map<number, { readonly line: AttachedLine; readonly tokenText: string }>();
  readonly #parts: ConversationParts;
  readonly #mux: Multiplexer;
  readonly #listen: ModernListen | undefined;

  constructor(parts: ConversationParts) {
    this.#parts = parts;
    const { kind, lines, listener } = parts;
    this.#mux = new Multiplexer(parts.send, {
      request: (message) => listener.request(message),
      notification: (message) => {
        const heard = this.#listen ? this.#listen.hear(message) : message;
        if (heard) listener.notification(heard);
      },
      answeredLate: () => {
        if (this.#mux.abandoned === 0) this.unansweredOf = undefined;
      },
      strayProgress: (message, innerId) => this.#taskProgress(message, innerId),
      violation: (reason) => listener.violation(reason),
    });
    if (kind.era === 'legacy') {
      this.logs = new WorkerLogLevel({
        tell: (level) => void this.inquire(methods.setLevel, { level }),
        isAble: () => this.#facts?.initialize.capabilities['logging'] !== undefined,
        listeners: () => [...lines, ...callsAmong(this.#mux.waiters()).map(logListenerOf)],
      });
      return;
    }
    this.#listen = new ModernListen({
      clock: parts.clock,
      lines,
      request: (message, answered) => this.#background(message, answered),
      cancel: (innerId) => this.#mux.cancel(innerId),
    });
  }

  get inFlight(): number {
    return this.#mux.inFlight;
  }

  /** Calls in flight that take up the worker: what is about tasks does not. */
  get occupied(): number {
    return this.#mux.occupied;
  }

  /** The only call in flight, if there is exactly one: whatever the server says of itself is about that. */
  get soleCall(): CallOfLine | undefined {
    const { sole } = this.#mux;
    return sole && isCall(sole) ? sole : undefined;
  }

  /** Has the server asked this session something that is open, and wants to hear of progress under this token? */
  hearsOfProgress(line: AttachedLine, tokenText: string): boolean {
    return [...this.questions.values()].some((each) => each.line === line && each.tokenText === tokenText);
  }

  /** The calls in flight. */
  get calls(): readonly Call[] {
    return callsAmong(this.#mux.waiters()).map(({ call }) => call);
  }

  /** The calls of a session that are in flight. */
  callsOf(line: AttachedLine): readonly Call[] {
    return callsAmong(this.#mux.waiters()).flatMap((each) => (each.line === line ? [each.call] : []));
  }

  /**
   * Could what the server says of itself be about a call of another key, which was given up? For as long as that call
   * could have taken: a server that heard of its end does not answer it.
   */
  mayMeanOther(keyName: string): boolean {
    const { unansweredOf } = this;
    return (
      unansweredOf !== undefined && unansweredOf !== keyName && this.#parts.clock.now() < this.#doubtUntil
    );
  }

  /** A client was told to visit a page, by a question or by an error: what the server says of it later is for that client. */
  sentToPage(elicitation: unknown, line: AttachedLine): void {
    const { elicitationId } = (elicitation ?? {}) as { readonly elicitationId?: unknown };
    if (typeof elicitationId !== 'string') return;
    keepNewest(this.elicitations, elicitationId, line, maxElicitations);
  }

  /** The only call in flight whose client is not being asked something already, if there is exactly one. */
  get soleUnasked(): CallOfLine | undefined {
    const asked = new Set([...this.questions.values()].map(({ call }) => call));
    const others = callsAmong(this.#mux.waiters()).filter(({ call }) => !asked.has(call));
    return others.length === 1 ? others[0] : undefined;
  }

  /** The handshake, in the words of the kind or of the one client it is for. Rejects with a HandshakeFailure. */
  async greet(greeting: Message, timeoutMs: number): Promise<ServerFacts> {
    const { kind, clock } = this.#parts;
    const facts = (this.#facts = await greet({ mux: this.#mux, era: kind.era, greeting, clock, timeoutMs }));
    if (kind.era === 'legacy') this.#mux.notify(initializedNotification);
    else this.#listen?.refresh();
    return facts;
  }

  /**
   * Put a call on the worker; `read` makes something of the answer. Rejects with CRASHED, BAD_REPLY, or the reason
   * the call was cancelled with.
   */
  exchange<Result>(placed: Placed, read: ReadAnswer<Result>): Promise<Result> {
    const { call, line, edits, isAside = false } = placed;
    const { clock, listener } = this.#parts;
    return new Promise((resolve, reject) => {
      const waiter: Waiter & CallOfLine = {
        call,
        line,
        isAside,
        reply: (response, idText) => {
          this.hasAnswered = true;
          this.#keepToken(placed, response, innerId);
          if (response.error) this.#keepElicitations(line, response);
          settle({ resolve, reject }, () => read(response, idText));
          // A worker that is to leave stays for a task, if this began one.
          listener.finished(call);
        },
        progress: (notification) => {
          call.heardAt = clock.now();
          call.tell(notification);
        },
        fail: (error) => {
          listener.finished(call);
          reject(error);
        },
      };
      this.#listen?.settle();
      const innerId = this.#mux.request(call.message, waiter, edits);
      const putAt = clock.now();
      call.cancellation.listen((reason) => {
        this.#mux.cancel(innerId);
        if (!isAside) this.#leftUnanswered(call);
        listener.finished(call);
        reject(reason);
        if (reason instanceof ProxyError && reason.code === 'TIMED_OUT') listener.timedOut(putAt);
      });
    });
  }

  /** One line from the worker. @throws {MalformedMessage} if it is no message. */
  receive(line: Buffer): void {
    this.#mux.receive(line, maxReplyDepth);
  }

  /** The worker is gone: everybody who still waits gets `error`. Returns how many calls that were. */
  failAll(error: Error): number {
    this.#listen?.close();
    return this.#mux.failAll(error);
  }

  /** A session wants to hear of a resource. */
  subscribe(uri: string): void {
    if (this.#listen) this.#listen.refresh();
    else void this.inquire(methods.subscribe, { uri });
  }

  unsubscribe(uri: string): void {
    if (this.#listen) this.#listen.refresh();
    else void this.inquire(methods.unsubscribe, { uri });
  }

  /** See whether it answers at all. */
  ping(): void {
    if (this.#listen) this.#background(this.#parts.kind.greeting);
    else void this.inquire(methods.ping, {});
  }

  /** Ask the server something on the proxy's own account; undefined if it has not answered by its end, or in time. */
  inquire(
    method: string,
    params: Readonly<Record<string, unknown>>,
    patienceMs = Infinity,
  ): Promise<Message | undefined> {
    const { kind, clock } = this.#parts;
    return new Promise((resolve) => {
      const own = kind.era === 'modern' ? modernParams(params) : params;
      const text = JSON.stringify({ jsonrpc: '2.0', id: 0, method, params: own });
      let stopTimer: () => void = () => undefined;
      const innerId = this.#background(readMessage(Buffer.from(text)), (response) => {
        stopTimer();
        resolve(response);
      });
      if (patienceMs === Infinity) return;
      stopTimer = clock.after(patienceMs, () => {
        this.#mux.cancel(innerId);
        resolve(undefined);
      });
    });
  }

  #background(message: Message, answered: (response: Message | undefined) => void = () => undefined): number {
    return this.#mux.request(message, {
      isBackground: true,
      reply: answered,
      progress: () => undefined,
      fail: () => {
        answered(undefined);
      },
    });
  }

  /** A task's progress goes on after its call was answered (2025-11-25 basic/utilities/tasks). */
  #keepToken({ call, line }: Placed, { resultMembers }: Message, innerId: number): void {
    const { bytes, metaToken } = call.message;
    if (!metaToken || !memberOf(resultMembers, 'task')) return;
    const token = { line, tokenText: textOf(bytes, metaToken) };
    keepNewest(this.#taskTokens, innerId, token, maxTaskTokens);
  }

  #taskProgress({ bytes, token }: Message, innerId: number): void {
    const task = this.#taskTokens.get(innerId);
    if (!task || !token || task.line.isGone) return;
    const told = splice(bytes, [{ span: token, text: task.tokenText }]);
    task.line.caller.hear(readMessage(Buffer.concat(told), maxReplyDepth), undefined);
  }

  /** Error -32042 names the pages that its client must visit first. */
  #keepElicitations(line: AttachedLine, response: Message): void {
    if (errorCodeOf(response) !== urlElicitationRequired) return;
    const { data } = valueOf(response, response.error) as { data?: { elicitations?: unknown } | null };
    const elicitations = data?.elicitations;
    if (Array.isArray(elicitations)) for (const each of elicitations) this.sentToPage(each, line);
  }

  #leftUnanswered({ keyName, startedAt, deadline }: Call): void {
    this.#doubtUntil = Math.max(this.#doubtUntil, startedAt + deadline.max);
    const isOther = this.unansweredOf !== undefined && this.unansweredOf !== keyName;
    this.unansweredOf = isOther ? '' : keyName;
  }
}

/** What is wrong with an answer is the asker's to know, and must not stop the reading of the next line. */
function settle<Result>(
  promise: { readonly resolve: (result: Result) => void; readonly reject: (error: unknown) => void },
  make: () => Result,
): void {
  try {
    promise.resolve(make());
  } catch (thrown) {
    promise.reject(thrown);
  }
}
