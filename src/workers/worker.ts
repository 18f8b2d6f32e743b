import type { Call, Reply } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import { type InitializeResult, initializedNotification, readInitializeResult } from '../mcp/handshake.ts';
import { MalformedMessage, type Message, readMessage } from '../mcp/message.ts';
import { methods } from '../mcp/methods.ts';
import { Multiplexer, type Waiter } from '../mcp/multiplexer.ts';
import { jittered } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';
import { type AttachedLine, isAnyListening } from './attached-line.ts';
import { type Child, crashMessage, type Exit } from './launch.ts';
import { hearReports, type SecurityReport } from './security-reports.ts';
import { createNoiseMeter, type NoiseMeter } from './noise.ts';
import { createSilence, type Silence } from './silence.ts';
import { ProcessChannel } from './process-channel.ts';
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
  /** How the process is told who asks: `initialize` of the proxy's own, or of the one client it is for. */
  readonly initialize: Message;
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

/** A call on the worker, and whose. */
interface CallWaiter extends Waiter {
  readonly call: Call;
  readonly line: AttachedLine;
}

const maxReplyDepth = 256;
const maxBacklogBytes = 1024 * 1024;
/** How long a dead process's stdout may still be read, if a grandchild holds it open. */
const drainMs = 200;

/** One child process running one server for one tenant: never for another, never recycled. */
export class Worker {
  readonly spec: ServerSpec;
  readonly startedAt: number;
  readonly pid: number;
  /** The process group it is in, whose memory is its own. */
  readonly group: number;
  readonly expiresAt: number;
  /** Settles when the process is gone and everybody has been told. */
  readonly ended: Promise<void>;
  calls = 0;
  /** It has answered a call. */
  hasAnswered = false;
  idleSince: number;
  result: InitializeResult | undefined;
  /** Why it ends, if the proxy wanted it. */
  stopReason: string | undefined;
  exit: Exit | undefined;

  readonly #parts: WorkerParts;
  readonly #child: Child;
  readonly #channel: ProcessChannel;
  readonly #mux: Multiplexer;
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
      ask: () => this.ask(methods.ping, {}),
      hung: (reason) => this.#violation(reason),
    });
    this.#channel = new ProcessChannel(this.#child, clock, spec.maxReply, {
      line: (line) => this.#receive(line),
      violation: (reason) => this.#violation(reason),
    });
    this.#mux = new Multiplexer(
      (line) => {
        this.#channel.send(line);
      },
      {
        request: (message) => parts.listener.request(this, message),
        notification: (message) => parts.listener.notification(this, message),
        violation: (reason) => this.#violation(reason),
      },
    );
    this.ended = this.#child.exit.then((exit) => this.#afterExit(exit));
  }

  get state(): WorkerState {
    if (this.#phase !== 'open') return this.#phase;
    return this.#mux.inFlight > 0 ? 'busy' : 'idle';
  }

  get inFlight(): number {
    return this.#mux.inFlight;
  }

  /** Did it end, or have to be ended, for a reason of its own? */
  get hasFailed(): boolean {
    return this.stopReason === undefined || this.#failure !== undefined;
  }

  /** May another call be put on it? */
  get isOpen(): boolean {
    return this.#phase === 'open' && this.#channel.backlogBytes < maxBacklogBytes;
  }

  /** The only call in flight, if there is exactly one: whatever the server says of itself is about that. */
  get soleCall(): { readonly call: Call; readonly line: AttachedLine } | undefined {
    const { sole } = this.#mux;
    return sole && 'call' in sole ? (sole as CallWaiter) : undefined;
  }

  /** Does one of its sessions wait for news of a resource? Then its silence is no idleness. */
  get isListenedTo(): boolean {
    return isAnyListening(this.lines);
  }

  /**
   * Wait for the answer to `initialize`.
   * @throws {Error} whose message, free of anything the child wrote, says what went wrong.
   */
  async handshake(): Promise<void> {
    const { spec, initialize, clock } = this.#parts;
    const answer = await new Promise<readonly Buffer[] | string>((resolve) => {
      const stopTimer = clock.after(spec.startTimeout, () => {
        resolve(`it did not answer initialize within ${spec.startTimeout} ms`);
      });
      const settle = (outcome: readonly Buffer[] | string) => {
        stopTimer();
        resolve(outcome);
      };
      this.#mux.request(initialize, {
        reply: settle,
        progress: () => undefined,
        fail: (error) => {
          settle(error.message);
        },
      });
    });
    const result = typeof answer === 'string' ? answer : readInitializeResult(answer);
    if (typeof result === 'string') throw new Error(result);
    this.result = result;
    this.#mux.notify(initializedNotification);
    if (this.#phase === 'starting') this.#phase = 'open';
    this.idleSince = clock.now();
  }

  /** Put a call on the worker. Rejects with CRASHED, BAD_REPLY, or the reason the call was cancelled with. */
  exchange(call: Call, line: AttachedLine): Promise<Reply> {
    this.calls++;
    call.dispatched = true;
    return new Promise((resolve, reject) => {
      const waiter: CallWaiter = {
        call,
        line,
        reply: (parts, isError) => {
          this.hasAnswered = true;
          this.#finished(call);
          resolve({ parts, isError });
        },
        progress: (notification) => {
          call.heardAt = this.#parts.clock.now();
          call.tell(notification);
        },
        fail: (error) => {
          this.#finished(call);
          reject(error);
        },
      };
      const innerId = this.#mux.request(call.message, waiter);
      const putAt = this.#parts.clock.now();
      call.cancellation.listen((reason) => {
        this.#mux.cancel(innerId);
        this.#finished(call);
        reject(reason);
        if (reason instanceof ProxyError && reason.code === 'TIMED_OUT') this.#silence.timedOut(putAt);
      });
    });
  }

  /** Ask the server something on the proxy's own account; its answer is of no interest. */
  ask(method: string, params: Readonly<Record<string, unknown>>): void {
    const text = JSON.stringify({ jsonrpc: '2.0', id: 0, method, params });
    const nobody = { reply: () => undefined, progress: () => undefined, fail: () => undefined };
    this.#mux.request(readMessage(Buffer.from(text)), nobody);
  }

  /** Send the server a line as it is: a client's notification, or its answer to a question. */
  send(line: readonly Buffer[]): void {
    this.#channel.send([...line, Buffer.from('\n')]);
  }

  /** Let the calls in flight finish, take no new ones, then stop. */
  drain(reason: string): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'draining';
    this.stopReason = reason;
    this.#parts.listener.changed(this);
    if (this.#mux.inFlight === 0) this.stop(reason);
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
    if (this.#mux.inFlight === 0) {
      this.idleSince = this.#parts.clock.now();
      if (this.#phase === 'draining') this.stop(this.stopReason ?? 'drained');
    }
    this.#parts.listener.changed(this);
  }

  #receive(line: Buffer): void {
    // What it says after it broke the rules is believed no more.
    if (this.#failure) return;
    this.#silence.broken();
    try {
      this.#mux.receive(line, maxReplyDepth);
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
    if (exit.cause === undefined) await this.#channel.drainedWithin(drainMs);
    this.#child.signalGroup('SIGKILL');
    this.#phase = 'gone';
    this.exit = exit;
    const failure = this.#failure ?? new ProxyError('CRASHED', crashMessage(exit));
    const cutCalls = this.#mux.failAll(failure);
    this.#parts.listener.gone(this, exit, cutCalls);
  }
}
