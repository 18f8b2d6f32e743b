import type { Call, Reply } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import type { Caller, Line } from '../calls/upstream.ts';
import { invalidParams, isLogLevel, mayHaveEffects, methodNotFound, methods } from '../mcp/methods.ts';
import { type Message, paramsOf } from '../mcp/message.ts';
import { idTextOf, ownAnswer } from '../mcp/own-answer.ts';
import type { AttachedLine } from './attached-line.ts';
import type { Pool } from './pool.ts';
import type { Resident } from './residents.ts';
import type { Use } from './waiting-list.ts';
import type { Worker } from './worker.ts';

/** A session's way to a server. It outlives workers: when one is reaped or replaced, the next call gets another. */
export class ServerLine implements Line, Resident {
  readonly caller: Caller;
  readonly initialize: Message;
  readonly subscriptions = new Set<string>();
  logLevel: string | undefined;

  readonly #currentPool: () => Pool;
  readonly #hungUp: (line: ServerLine) => void;
  #home: Worker | undefined;
  isGone = false;

  constructor(
    caller: Caller,
    initialize: Message,
    currentPool: () => Pool,
    hungUp: (line: ServerLine) => void,
  ) {
    this.caller = caller;
    this.initialize = initialize;
    this.#currentPool = currentPool;
    this.#hungUp = hungUp;
  }

  get home(): Worker | undefined {
    return this.#home;
  }

  set home(worker: Worker | undefined) {
    if (worker === this.#home) return;
    this.#home?.lines.delete(this);
    this.#home = worker;
    worker?.lines.add(this);
    if (worker) for (const uri of this.subscriptions) subscribeQuietly(worker, uri);
  }

  get #isExclusive(): boolean {
    return this.#currentPool().spec.pool.sharing === 'exclusive';
  }

  readonly exchange = (call: Call): Promise<Reply> => {
    const { method } = call.message;
    if (method === methods.initialize)
      return Promise.resolve(failed(call, -32600, 'The session is already initialized'));
    if (method === methods.setLevel && !this.#isExclusive) return Promise.resolve(this.#setLevel(call));
    if (method === methods.subscribe || method === methods.unsubscribe) return this.#subscription(call);
    // Task ids are the whole worker's: on a worker of many sessions one could read another's results.
    if (method.startsWith('tasks/') && !this.#isExclusive) {
      return Promise.resolve(failed(call, methodNotFound, 'Tasks need a server with `sharing: exclusive`'));
    }
    return this.#send(call);
  };

  send(notification: Message): void {
    // On a worker of many sessions, one client's news (its roots, say) would be taken for everybody's.
    if (this.#isExclusive && notification.method !== methods.initialized)
      this.#home?.send([notification.bytes]);
  }

  hangUp(reason: string): void {
    this.isGone = true;
    const home = this.#home;
    if (home && !this.#isExclusive) {
      for (const uri of this.subscriptions)
        if (!isWantedByOthers(home, this, uri)) unsubscribeQuietly(home, uri);
    }
    this.subscriptions.clear();
    this.home = undefined;
    if (this.#isExclusive) home?.stop(reason);
    this.#hungUp(this);
  }

  homeless(): void {
    this.#home = undefined;
  }

  /** A worker for `call`, which `use` puts on it; of the generation that is in force when one is free. */
  onWorker<Result>(call: Call, use: Use<Result>): Result | Promise<Result> {
    const pool = this.#currentPool();
    const used = pool.acquire(this, call, use);
    if (call.dispatched || !(used instanceof Promise)) return used;
    return used.catch((thrown: unknown) => {
      // It waited for a generation that was replaced meanwhile: it never left, so it may wait for the next one.
      if (call.dispatched || !pool.isRetired || pool === this.#currentPool()) throw thrown;
      return this.onWorker(call, use);
    });
  }

  async #send(call: Call): Promise<Reply> {
    const put = (worker: Worker) => worker.exchange(call, this);
    const reply = this.onWorker(call, put);
    if (mayHaveEffects(call.message.method)) return reply;
    try {
      return await reply;
    } catch (thrown) {
      // A call that only reads is asked again, once, if its worker died: nothing can have happened twice.
      if (!(thrown instanceof ProxyError) || thrown.code !== 'CRASHED') throw thrown;
      call.dispatched = false;
      return this.onWorker(call, put);
    }
  }

  #setLevel(call: Call): Reply {
    const { level } = paramsOf(call.message);
    if (!isLogLevel(level)) return failed(call, invalidParams, '`level` must be one of the eight log levels');
    this.logLevel = level;
    return answered(call);
  }

  /** The worker hears of the first to subscribe and the last to leave; in between it is ours to count. */
  async #subscription(call: Call): Promise<Reply> {
    const uri = String(paramsOf(call.message)['uri']);
    const isSubscribe = call.message.method === methods.subscribe;
    const home = this.#home;
    if (home?.isOpen && !this.#isExclusive && isWantedByOthers(home, this, uri)) {
      this.#note(uri, isSubscribe);
      return answered(call);
    }
    const reply = await this.#send(call);
    if (!reply.isError) this.#note(uri, isSubscribe);
    return reply;
  }

  #note(uri: string, isSubscribe: boolean): void {
    if (isSubscribe) this.subscriptions.add(uri);
    else this.subscriptions.delete(uri);
  }
}

function isWantedByOthers(worker: Worker, line: AttachedLine, uri: string): boolean {
  for (const other of worker.lines) if (other !== line && other.subscriptions.has(uri)) return true;
  return false;
}

function subscribeQuietly(worker: Worker, uri: string): void {
  worker.ask(methods.subscribe, { uri });
}

function unsubscribeQuietly(worker: Worker, uri: string): void {
  worker.ask(methods.unsubscribe, { uri });
}

/** An answer of the proxy's own in the server's place. */
function answered({ message }: Call): Reply {
  return { parts: [ownAnswer(idTextOf(message), 'result', {})], isError: false };
}

function failed({ message }: Call, code: number, text: string): Reply {
  return { parts: [ownAnswer(idTextOf(message), 'error', { code, message: text })], isError: true };
}
