import { askAlong } from '../bridge/asking.ts';
import { type InputRequired, readInputRequired } from '../bridge/questions.ts';
import { legacyEdits } from '../bridge/to-legacy.ts';
import type { Call, Reply } from '../calls/call.ts';
import type { Line as SessionWay } from '../calls/upstream.ts';
import { envelopeOn, envelopeText } from '../mcp/envelope.ts';
import type { InitializeResult } from '../mcp/handshake.ts';
import { invalidParams, isLogLevel, methodNotFound, methods } from '../mcp/methods.ts';
import { type Message, paramsOf, valueOf } from '../mcp/message.ts';
import { answerOf } from '../mcp/multiplexer.ts';
import { idTextOf, ownAnswer } from '../mcp/own-answer.ts';
import { latestModernVersion } from '../mcp/versions.ts';
import type { ReadAnswer } from './conversation.ts';
import type { Line, Speaker, Speech } from './line.ts';
import { type TaskBook, taskIdOf } from './tasks.ts';
import type { Worker } from './worker.ts';

export interface SessionLineParts {
  readonly line: Line;
  readonly tasks: TaskBook;
  readonly workerOf: (serial: number) => Worker | undefined;
  /** What the server can do, as of now. */
  readonly capabilities: () => InitializeResult['capabilities'];
}

/** The way of a client with a session, of the legacy era, to a server of either. */
export class SessionLine implements SessionWay {
  readonly line: Line;
  #known: { readonly level: string; readonly text: string } | undefined;

  readonly #parts: SessionLineParts;

  constructor(parts: SessionLineParts) {
    this.line = parts.line;
    this.#parts = parts;
  }

  readonly exchange = (call: Call): Promise<Reply> => {
    const { method } = call.message;
    if (method === methods.initialize)
      return Promise.resolve(failed(call, -32600, 'The session is already initialized'));
    if (method === methods.discover) return Promise.resolve(failed(call, methodNotFound, 'Method not found'));
    if (method === methods.setLevel)
      return this.#isAlone ? this.#setOwnLevel(call) : Promise.resolve(this.#setLevel(call));
    if (method === methods.subscribe || method === methods.unsubscribe) return this.#subscription(call);
    if (method.startsWith('tasks/')) return this.#task(call);
    return this.#call(call);
  };

  /** Task ids are a worker's, which may have been replaced; and on one of many sessions one could read another's results. */
  async #task(call: Call): Promise<Reply> {
    const { method } = call.message;
    const { keyName } = this.line.caller;
    if (this.#isAlone && this.#parts.tasks.lineOf(taskIdOf(call.message)) !== this.line)
      return this.#call(call);
    // In the server's place: who has no tasks knows no such method.
    if (!this.#isAble('tasks')) return failed(call, methodNotFound, 'Method not found');
    if (method === 'tasks/list') {
      const tasks = await this.#parts.tasks.list(keyName);
      return { parts: [ownAnswer(idTextOf(call.message), 'result', { tasks })], isError: false };
    }
    const worker = this.#parts.tasks.workerOf(taskIdOf(call.message), keyName);
    if (!worker) return failed(call, invalidParams, 'There is no such task of yours, or it is over');
    return worker.exchange({ call, line: this.line, edits: [], isAside: true }, (response, idText) => {
      if (method === methods.taskResult) this.#parts.tasks.fetched(taskIdOf(call.message));
      else this.#parts.tasks.heard(valueOf(response, response.result));
      return plainReply(response, idText);
    });
  }

  send(notification: Message): void {
    // On a worker of many sessions, one client's news (its roots, say) would be taken for everybody's.
    if (!this.#isAlone) {
      if (notification.method === methods.progress) this.line.reportProgress(notification);
    } else if (notification.method !== methods.initialized) this.line.home?.send([notification.bytes]);
  }

  hangUp(reason: string): void {
    if (this.line.isExclusive) this.#parts.tasks.abandon(this.line);
    this.line.hangUp(reason);
  }

  /** It has a worker to itself that speaks as the client does: what it says is passed on as it is. */
  get #isAlone(): boolean {
    return this.line.isExclusive && this.line.kind.era === 'legacy';
  }

  async #call(call: Call): Promise<Reply> {
    let serial = 0;
    // What a process gave as its `requestState` no other can read: the answers go back to who asked.
    const round = (further: string) =>
      this.line.put(
        call,
        (worker) => {
          serial = worker.serial;
          return this.#speech(worker, call, further);
        },
        serial > 0 ? this.#parts.workerOf(serial) : undefined,
      );
    const answer = await round('');
    return 'questions' in answer ? askAlong(this.line.caller, call, answer, round) : answer;
  }

  /** `further`: what is to stand in `params` beside what the client put there. */
  #speech(worker: Speaker, { message }: Call, further: string): Speech<Reply | InputRequired> {
    if (worker.kind.era === 'legacy') return { edits: [], read: this.#readerOf(worker) };
    const { method } = message;
    return {
      edits: envelopeOn(message, this.#envelope(), further),
      read: (response, idText) =>
        readInputRequired(response) ?? {
          parts: answerOf(response, idText, legacyEdits(response, method)),
          isError: response.error !== undefined,
        },
    };
  }

  #readerOf({ serial }: Speaker): ReadAnswer<Reply> {
    return (response, idText) => {
      this.#parts.tasks.note(serial, this.line, response);
      return plainReply(response, idText);
    };
  }

  /** The same for all calls, but for the log level. */
  #envelope(): string {
    const { caller, initialize, logLevel } = this.line;
    // Until a client says otherwise it hears of everything that is not for debugging.
    const level = logLevel ?? 'info';
    if (this.#known?.level === level) return this.#known.text;
    const params = initialize ? valueOf(initialize, initialize.params) : undefined;
    const { clientInfo } = (params ?? {}) as { clientInfo?: unknown };
    // Tasks of 2025-11-25 are another thing than the extension of that name.
    const capabilities = { ...caller.capabilities, tasks: undefined };
    const text = envelopeText({ version: latestModernVersion, clientInfo, capabilities, logLevel: level });
    this.#known = { level, text };
    return text;
  }

  #isAble(capability: 'logging' | 'tasks'): boolean {
    return this.#parts.capabilities()[capability] !== undefined;
  }

  #setLevel(call: Call): Reply {
    if (!this.#isAble('logging')) return failed(call, methodNotFound, 'Method not found');
    const { level } = paramsOf(call.message);
    if (!isLogLevel(level)) return failed(call, invalidParams, '`level` must be one of the eight log levels');
    this.line.listenFrom(level);
    return answered(call);
  }

  /** Of a worker to itself: what comes of it is the server's to say. */
  async #setOwnLevel(call: Call): Promise<Reply> {
    const reply = await this.#call(call);
    const { level } = paramsOf(call.message);
    if (!reply.isError && isLogLevel(level)) this.line.toldToLog(level);
    return reply;
  }

  /** The worker hears of the first to subscribe and the last to leave; in between it is ours to count. */
  async #subscription(call: Call): Promise<Reply> {
    const { line } = this;
    const uri = String(valueOf(call.message, call.message.uri));
    const isSubscribe = call.message.method === methods.subscribe;
    if (line.kind.era === 'legacy')
      return isSubscribe ? this.#subscribe(call, uri) : this.#unsubscribe(call, uri);
    if (isSubscribe) line.subscribe(uri);
    else line.unsubscribe(uri);
    return answered(call);
  }

  async #subscribe(call: Call, uri: string): Promise<Reply> {
    const { line } = this;
    if (this.#isOthersToo(uri)) {
      line.subscriptions.add(uri);
      return answered(call);
    }
    const { reply, serial } = await this.#told(call);
    if (!reply.isError) line.subscribed(uri, serial);
    return reply;
  }

  async #unsubscribe(call: Call, uri: string): Promise<Reply> {
    const { line } = this;
    // Ahead of the answer: whoever subscribes while the server is at it must not rely on what is about to end.
    const was = line.subscriptions.delete(uri);
    if (this.#isOthersToo(uri)) return answered(call);
    try {
      const { reply, serial } = await this.#told(call);
      if (!reply.isError) line.unsubscribed(uri, serial);
      else if (was) line.subscribe(uri);
      return reply;
    } catch (thrown) {
      if (was && !line.isGone) line.subscribe(uri);
      throw thrown;
    }
  }

  /** The server's answer, and which worker gave it. */
  async #told(call: Call): Promise<{ reply: Reply; serial: number }> {
    let serial = 0;
    const reply = await this.line.put(call, (worker) => {
      serial = worker.serial;
      return { edits: [], read: plainReply };
    });
    return { reply, serial };
  }

  /** Does the worker tell another session of it in any case? */
  #isOthersToo(uri: string): boolean {
    const { line } = this;
    return line.home?.isOpen === true && !line.isExclusive && line.isWantedByOthers(uri);
  }
}

function plainReply(response: Message, idText: string): Reply {
  return { parts: answerOf(response, idText), isError: response.error !== undefined };
}

/** An answer of the proxy's own in the server's place. */
function answered({ message }: Call): Reply {
  return { parts: [ownAnswer(idTextOf(message), 'result', {})], isError: false };
}

function failed({ message }: Call, code: number, text: string): Reply {
  return { parts: [ownAnswer(idTextOf(message), 'error', { code, message: text })], isError: true };
}
