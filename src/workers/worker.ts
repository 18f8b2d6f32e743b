import type { Call } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import type { ServerFacts } from '../mcp/handshake.ts';
import { MalformedMessage, type Message } from '../mcp/message.ts';
import { jittered } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';
import { type AttachedLine, isAnyListening } from './attached-line.ts';
import { Conversation, type Placed, type ReadAnswer } from './conversation.ts';
import type { WorkerKind } from './kind.ts';
import { type Child, crashMessage, type Exit } from './launch.ts';
import { createNoiseMeter, type NoiseMeter } from './noise.ts';
import { ProcessChannel } from './process-channel.ts';
import { hearReports, type SecurityReport } from './security-reports.ts';
import { createSilence, type Silence } from './silence.ts';
import type { ServerSpec } from './spec.ts';
import { stderrTail } from './stderr-tail.ts';

/**
 * starting → idle ⇄ busy → draining → stopping → gone. `draining`: finishes its calls, takes no new ones;
 * `stopping`: told to end; `gone`: the process is no more. Any state may be followed by `gone`.
 */
export type WorkerState = 'starting' | 'idle' | 'busy' | 'draining' | 'stopping' | 'gone';

export interface WorkerParts {
  readonly spec: ServerSpec;
  readonly clock: Clock;
  /** Its process, just started. */
  readonly child: Child;
  /** How long each step of stopping may take before the next, harder one, in milliseconds. */
  readonly stopGrace: number;
  readonly kind: WorkerKind;
  /** The handshake: of the kind, or of the one client it is for. */
  readonly greeting: Message;
  readonly listener: WorkerListener;
}

export interface WorkerListener {
  request(worker: Worker, message: Message): void;
  notification(worker: Worker, message: Message): void;
  /** A place became free, or the worker can no longer be used. */
  changed(worker: Worker): void;
  misbehaved(worker: Worker, reason: string): void;
  reported(worker: Worker, report: SecurityReport): void;
  gone(worker: Worker, exit: Exit, cutCalls: number): void;
}

let lastSerial = 0;

const maxBacklogBytes = 1024 * 1024;
/** How long a worker that is to leave stays for tasks that nobody has fetched, in milliseconds. */
const taskDrainMs = 900_000;
/** How long a dead process's stdout may still be read, if a grandchild holds it open. */
const drainMs = 200;

/** One child process running one server for one tenant: never for another, never recycled. */
export class Worker {
  /** Unlike a pid, never given twice. */
  readonly serial = ++lastSerial;
  readonly spec: ServerSpec;
  readonly kind: WorkerKind;
  readonly startedAt: number;
  readonly pid: number;
  /** The process group it is in, whose memory is its own. */
  readonly group: number;
  readonly expiresAt: number;
  /** Settles when the process is gone and everybody has been told. */
  readonly ended: Promise<void>;
  calls = 0;
  idleSince: number;
  /** What the server said of itself in its handshake. */
  facts: ServerFacts | undefined;
  readonly #liveTasks = new Set<string>();
  #isWaitingForTasks = false;
  /** Why it ends, if the proxy wanted it. */
  stopReason: string | undefined;
  exit: Exit | undefined;

  readonly #parts: WorkerParts;
  readonly #child: Child;
  readonly #channel: ProcessChannel;
  /** What is said between the proxy and the process. */
  readonly talk: Conversation;
  /** The sessions that live on this worker. */
  readonly lines = new Set<AttachedLine>();
  readonly stderr: () => string;
  #phase: 'starting' | 'open' | 'draining' | 'stopping' | 'gone' = 'starting';
  readonly #noise: NoiseMeter;
  readonly #silence: Silence;
  #failure: ProxyError | undefined;

  constructor(parts: WorkerParts) {
    const { spec, clock } = parts;
    this.#parts = parts;
    this.spec = spec;
    this.kind = parts.kind;
    this.startedAt = clock.now();
    this.idleSince = this.startedAt;
    this.expiresAt = this.startedAt + jittered(spec.pool.maxLifetime, 0.2);
    this.#child = parts.child;
    this.pid = parts.child.pid ?? 0;
    this.group = parts.child.group ?? 0;
    this.stderr = stderrTail(this.#child.stderr);
    hearReports(this.#child.stderr, clock, (report) => parts.listener.reported(this, report));
    this.#noise = createNoiseMeter(clock);
    this.#silence = createSilence(clock, {
      ask: () => this.talk.ping(),
      hung: (reason) => this.#violation(reason),
    });
    this.#channel = new ProcessChannel(this.#child, clock, spec.maxReply, {
      line: (line) => this.#receive(line),
      violation: (reason) => this.#violation(reason),
    });
    this.talk = this.#conversation(parts);
    this.ended = this.#child.exit.then((exit) => this.#afterExit(exit));
  }

  #conversation({ kind, clock, listener }: WorkerParts): Conversation {
    return new Conversation({
      kind,
      clock,
      lines: this.lines,
      send: (line) => {
        this.#channel.send(line);
      },
      listener: {
        request: (message) => listener.request(this, message),
        notification: (message) => listener.notification(this, message),
        finished: (call) => this.#finished(call),
        timedOut: (putAt) => this.#silence.timedOut(putAt),
        violation: (reason) => this.#violation(reason),
      },
    });
  }

  get state(): WorkerState {
    if (this.#phase !== 'open') return this.#phase;
    return this.talk.inFlight > 0 ? 'busy' : 'idle';
  }

  get inFlight(): number {
    return this.talk.inFlight;
  }

  /** How many calls are on it that leave less room for others. */
  get occupied(): number {
    return this.talk.occupied;
  }

  /** Did it end, or have to be ended, for a reason of its own? */
  get hasFailed(): boolean {
    return this.stopReason === undefined || this.#failure !== undefined;
  }

  /** May another call be put on it? */
  get isOpen(): boolean {
    return this.#phase === 'open' && this.#channel.backlogBytes < maxBacklogBytes;
  }

  /** May what is about its tasks be put on it? That is no new work: also while it drains. */
  get isReachable(): boolean {
    return this.isOpen || this.#phase === 'draining';
  }

  /** Tasks of 2025-11-25 that are at work in it, or whose results may still be fetched. */
  get liveTasks(): ReadonlySet<string> {
    return this.#liveTasks;
  }

  beginTask(taskId: string): void {
    this.#liveTasks.add(taskId);
  }

  /** Nobody needs it for that task any more. */
  endTask(taskId: string): void {
    if (this.#liveTasks.delete(taskId)) this.#leaveIfDone();
  }

  /** Does one of its sessions wait for news of a resource, or for a task? Then its silence is no idleness. */
  get isListenedTo(): boolean {
    return this.#liveTasks.size > 0 || isAnyListening(this.lines);
  }

  /**
   * Wait for the answer to the handshake.
   * @throws {HandshakeFailure} whose message, free of anything the child wrote, says what went wrong.
   */
  async handshake(): Promise<void> {
    const { spec, greeting, clock } = this.#parts;
    this.facts = await this.talk.greet(greeting, spec.startTimeout);
    if (this.#phase === 'starting') this.#phase = 'open';
    this.idleSince = clock.now();
  }

  /** Put a call on the worker; see `Conversation.exchange`. */
  exchange<Result>(placed: Placed, read: ReadAnswer<Result>): Promise<Result> {
    this.calls++;
    placed.call.dispatched = true;
    placed.call.heardAt = this.#parts.clock.now();
    return this.talk.exchange(placed, read);
  }

  /** Send the server a line as it is: a client's notification, or its answer to a question. */
  send(line: readonly Buffer[]): void {
    this.#channel.send([...line, Buffer.from('\n')]);
  }

  /** Let the calls in flight finish, take no new ones, then stop; with `forTasks` once its tasks are fetched, or over. */
  drain(reason: string, forTasks = true): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'draining';
    this.stopReason = reason;
    if (!forTasks) this.#liveTasks.clear();
    this.#parts.listener.changed(this);
    this.#leaveIfDone();
  }

  #leaveIfDone(): void {
    if (this.#phase !== 'draining' || this.talk.inFlight > 0) return;
    if (this.#liveTasks.size === 0) {
      this.stop(this.stopReason ?? 'drained');
    } else if (!this.#isWaitingForTasks) {
      this.#isWaitingForTasks = true;
      this.#parts.clock.after(taskDrainMs, () => {
        this.#liveTasks.clear();
        this.#leaveIfDone();
      });
    }
  }

  /** End the process: close its stdin, then SIGTERM, then SIGKILL, each after `stopGrace`. */
  stop(reason: string): void {
    if (this.#phase === 'stopping' || this.#phase === 'gone') return;
    this.#phase = 'stopping';
    this.stopReason = reason;
    this.#parts.listener.changed(this);
    this.#channel.end();
    const { clock, stopGrace } = this.#parts;
    clock.after(stopGrace, () => {
      if (this.#phase !== 'gone') this.#child.signalGroup('SIGTERM');
    });
    clock.after(stopGrace * 2, () => {
      this.kill(reason);
    });
  }

  /** End the process now, and everything in its group. */
  kill(reason: string): void {
    if (this.#phase === 'gone') return;
    this.#phase = 'stopping';
    this.stopReason ??= reason;
    this.#child.signalGroup('SIGKILL');
  }

  #finished(call: Call): void {
    call.cancellation.listen(undefined);
    if (this.talk.inFlight === 0) {
      this.idleSince = this.#parts.clock.now();
      this.#leaveIfDone();
    }
    this.#parts.listener.changed(this);
  }

  #receive(line: Buffer): void {
    // What it says after it broke the rules is believed no more.
    if (this.#failure) return;
    this.#silence.broken();
    try {
      this.talk.receive(line);
      this.#noise.message();
    } catch (thrown) {
      if (!(thrown instanceof MalformedMessage)) throw thrown;
      // What claims to be JSON-RPC and is not could be somebody's answer; a banner is not.
      if (line.subarray(0, 256).includes('"jsonrpc"')) this.#violation('it wrote a broken message');
      else if (!this.#noise.isBearable(line.length))
        this.#violation('it wrote too much to stdout that is no message');
    }
  }

  #violation(reason: string): void {
    if (this.#phase === 'gone' || this.#failure) return;
    const advice = this.#phase === 'starting' ? '' : '; the tool may have run';
    this.#failure = new ProxyError('BAD_REPLY', `The server was stopped because ${reason}${advice}`);
    this.#parts.listener.misbehaved(this, reason);
    this.kill(reason);
  }

  async #afterExit(exit: Exit): Promise<void> {
    // Grandchildren may hold the pipes; what they have not said by now they will not say.
    // Of a sandbox that could not be made there are words as well.
    if (exit.cause === undefined || exit.cause === 'SANDBOX') await this.#channel.drainedWithin(drainMs);
    this.#child.signalGroup('SIGKILL');
    this.#phase = 'gone';
    this.exit = exit;
    const failure = this.#failure ?? new ProxyError('CRASHED', crashMessage(exit));
    const cutCalls = this.talk.failAll(failure);
    this.#parts.listener.gone(this, exit, cutCalls);
  }
}
