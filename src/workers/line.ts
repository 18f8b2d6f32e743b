import type { Call } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import type { Caller } from '../calls/upstream.ts';
import { featureOf, isFirstPage } from '../mcp/lists.ts';
import { mayHaveEffects } from '../mcp/methods.ts';
import { type Message, textOf } from '../mcp/message.ts';
import { idTextOf } from '../mcp/own-answer.ts';
import type { Edit } from '../mcp/splice.ts';
import type { Era } from '../mcp/versions.ts';
import type { ReadAnswer } from './conversation.ts';
import type { WorkerKind } from './kind.ts';
import { Pages } from './pages.ts';
import type { Pool } from './pool.ts';
import type { Resident } from './residents.ts';
import { mayTurnPage } from './sharing.ts';
import type { Use } from './waiting-list.ts';
import type { Worker } from './worker.ts';

/** How a call is said to a worker of whatever era it turns out to be, and what is made of its answer. */
export interface Speech<Result> {
  readonly edits: readonly Edit[];
  readonly read: ReadAnswer<Result>;
}
export type Speak<Result> = (worker: Speaker) => Speech<Result>;

/** What a worker, or the memory of one, is to who speaks with it. */
export type Speaker = Pick<Worker, 'kind' | 'facts' | 'serial'>;

/** What a line must know of its server. */
export interface LineServer {
  /** The generation in force. */
  readonly pool: Pool;
  /** The kind of worker for a client. */
  kindFor(line: Line): WorkerKind;
  /** What the server answered to such a request before, if there is nobody to ask just now. */
  recall(kind: WorkerKind, message: Message): Recalled | undefined;
  /** The server answered a request that may come again. */
  remember(kind: WorkerKind, message: Message, response: Message): void;
  hungUp(line: Line): void;
}

/** An answer from memory, and whose it was. */
export interface Recalled {
  readonly response: Message;
  readonly speaker: Speaker;
}

export interface LineParts {
  readonly caller: Caller;
  readonly era: Era;
  /** The client's own `initialize`, if it has sent one. */
  readonly initialize: Message | undefined;
  /** The kind of legacy worker for what it declared. */
  readonly declared: WorkerKind;
  readonly server: LineServer;
}

/** A client's way to a server. It outlives workers: when one is reaped or replaced, the next call gets another. */
export class Line implements Resident {
  readonly caller: Caller;
  /** The client's. */
  readonly era: Era;
  readonly initialize: Message | undefined;
  readonly declared: WorkerKind;
  readonly subscriptions = new Set<string>();
  logLevel: string | undefined;

  readonly #server: LineServer;
  readonly #pages = new Pages();
  /** Lines of the same caller that only listen. They live where it lives: what its calls change they hear of. */
  readonly #followers = new Set<Line>();
  #findLeader: (() => Line) | undefined;
  #leader: Line | undefined;
  #home: Worker | undefined;
  isGone = false;

  constructor({ caller, era, initialize, declared, server }: LineParts) {
    this.declared = declared;
    this.caller = caller;
    this.era = era;
    this.initialize = initialize;
    this.#server = server;
  }

  get kind(): WorkerKind {
    return this.#server.kindFor(this);
  }

  get isExclusive(): boolean {
    return this.#server.pool.spec.pool.sharing === 'exclusive';
  }

  get home(): Worker | undefined {
    return this.#home;
  }

  set home(worker: Worker | undefined) {
    if (worker === this.#home) return;
    const left = this.#home;
    left?.lines.delete(this);
    left?.talk.logs?.left(this);
    this.#home = worker;
    if (worker) this.#movedTo(worker);
  }

  #movedTo(worker: Worker): void {
    worker.lines.add(this);
    worker.talk.logs?.joined(this);
    for (const uri of this.subscriptions) worker.talk.subscribe(uri);
    for (const follower of this.#followers) follower.home = worker;
  }

  get leader(): Line | undefined {
    return this.#leader;
  }

  /** From now on it lives where the line does that `findLeader` says, and has no worker of its own. */
  follow(findLeader: () => Line): void {
    this.#findLeader = findLeader;
    this.followAnew();
  }

  /** Settings changed: which line the calls of its caller go depends on how workers are shared. */
  followAnew(): void {
    const leader = this.#findLeader?.();
    if (!leader) return;
    const left = this.#leader;
    if (left) left.#followers.delete(this);
    this.#leader = leader;
    leader.#followers.add(this);
    if (leader.home) this.home = leader.home;
  }

  /** Hear of a resource from now on, on whatever worker. */
  subscribe(uri: string): void {
    this.subscriptions.add(uri);
    this.#home?.talk.subscribe(uri);
  }

  unsubscribe(uri: string): void {
    this.subscriptions.delete(uri);
    if (this.#home && !this.isWantedByOthers(uri)) this.#home.talk.unsubscribe(uri);
  }

  /** Does another session on the same worker hear of it? The worker hears of the first to come and the last to leave. */
  isWantedByOthers(uri: string): boolean {
    for (const other of this.#home?.lines ?? [])
      if (other !== this && other.subscriptions.has(uri)) return true;
    return false;
  }

  /** Worker `serial` was told that the session subscribes; while its home is busy, that may be another than it lives on. */
  subscribed(uri: string, serial: number): void {
    this.subscriptions.add(uri);
    if (this.#home?.serial === serial) return;
    this.#home?.talk.subscribe(uri);
    const other = this.#workerBy(serial);
    if (other && !isWantedOn(other, uri)) other.talk.unsubscribe(uri);
  }

  /** The same, where it unsubscribes. */
  unsubscribed(uri: string, serial: number): void {
    const told = this.#workerBy(serial);
    // Whoever lives there lost what it wants; or it came meanwhile, and the server may have taken the two in either order.
    if (told && isWantedOn(told, uri)) told.talk.subscribe(uri);
    const home = this.#home;
    if (home && home !== told && !isWantedOn(home, uri)) home.talk.unsubscribe(uri);
  }

  /** The client reports progress of what it was asked. Each worker makes its own tokens: in doubt it is dropped. */
  reportProgress({ bytes, token }: Message): void {
    if (!token) return;
    const tokenText = textOf(bytes, token);
    const meant = [...this.#server.pool.workers].filter(({ talk }) => talk.hearsOfProgress(this, tokenText));
    if (meant.length === 1) meant[0]?.send([bytes]);
  }

  #workerBy(serial: number): Worker | undefined {
    return [...this.#server.pool.workers].find((worker) => worker.serial === serial);
  }

  /** A worker says that its list has changed: this caller's next look at it is for that worker to answer. */
  listChanged(worker: Worker, feature: string): void {
    (this.#leader ?? this).#pages.changed(worker, feature);
  }

  /** The session wants to hear from this level on. */
  listenFrom(level: string): void {
    this.logLevel = level;
    this.#home?.talk.logs?.review();
  }

  /** Its own worker was told so by itself, and the next one is to be told. */
  toldToLog(level: string): void {
    this.logLevel = level;
    this.#home?.talk.logs?.wasTold(level);
  }

  hangUp(reason: string): void {
    this.isGone = true;
    const home = this.#home;
    const isOwner = this.isExclusive && !this.#leader;
    if (!isOwner) for (const uri of this.subscriptions) this.unsubscribe(uri);
    this.subscriptions.clear();
    this.home = undefined;
    if (this.#leader) this.#leader.#followers.delete(this);
    if (isOwner) home?.stop(reason);
    this.#server.hungUp(this);
  }

  homeless(): void {
    this.#home = undefined;
  }

  /** Put a call on a worker; a call that only reads is asked again, once, if its worker died: nothing can have happened twice. */
  async put<Result>(call: Call, speak: Speak<Result>, preferred?: Worker): Promise<Result> {
    const { message } = call;
    const recalled = isFirstPage(message) ? this.#server.recall(this.kind, message) : undefined;
    if (recalled) return speak(recalled.speaker).read(recalled.response, idTextOf(message));
    const use = (worker: Worker) => this.#use(worker, call, speak);
    const reply = this.onWorker(call, use, preferred ?? this.#giverOf(message));
    if (mayHaveEffects(message.method)) return reply;
    try {
      return await reply;
    } catch (thrown) {
      if (!(thrown instanceof ProxyError) || thrown.code !== 'CRASHED') throw thrown;
      call.dispatched = false;
      return this.onWorker(call, use);
    }
  }

  #use<Result>(worker: Worker, call: Call, speak: Speak<Result>): Promise<Result> {
    const { edits, read } = speak(worker);
    const placed = { call, line: this, edits };
    const { message, visitor } = call;
    const logLevel = visitor ? visitor.logLevel : this.logLevel;
    if (logLevel !== undefined) worker.talk.logs?.want(logLevel);
    if (featureOf(message.method) === undefined) return worker.exchange(placed, read);
    return worker.exchange(placed, (response, idText) => {
      this.#pages.note(worker, message.method, response);
      if (isFirstPage(message)) this.#server.remember(worker.kind, message, response);
      return read(response, idText);
    });
  }

  #giverOf(message: Message): Worker | undefined {
    const giver = this.#pages.giverOf(message);
    return giver && mayTurnPage(giver, this, this.#server.pool.rules) ? giver : undefined;
  }

  /** A worker for `call`, which `use` puts on it; of the generation that is in force when one is free. */
  onWorker<Result>(call: Call, use: Use<Result>, preferred?: Worker): Result | Promise<Result> {
    if (preferred?.isOpen && preferred.kind === this.kind) return use(preferred);
    return this.#acquire(call, use, false);
  }

  #acquire<Result>(call: Call, use: Use<Result>, hasMoved: boolean): Result | Promise<Result> {
    const { pool } = this.#server;
    const used = pool.acquire(this, call, use, hasMoved);
    if (call.dispatched || !(used instanceof Promise)) return used;
    return used.catch((thrown: unknown) => {
      // It waited for a generation that was replaced meanwhile: it never left, so it may wait for the next one.
      if (call.dispatched || !pool.isRetired || pool === this.#server.pool) throw thrown;
      return this.#acquire(call, use, true);
    });
  }
}

/** Does a session that lives there hear of it? */
function isWantedOn({ lines }: Worker, uri: string): boolean {
  return [...lines].some(({ subscriptions }) => subscriptions.has(uri));
}
