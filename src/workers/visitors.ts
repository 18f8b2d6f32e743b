import { Parking } from '../bridge/parking.ts';
import { createStateSeal, type StateSeal } from '../bridge/request-state.ts';
import type { Call, Reply } from '../calls/call.ts';
import { untilGivenUp } from '../calls/until-given-up.ts';
import type { Caller, MirroredParameter } from '../calls/upstream.ts';
import type { ServerFacts } from '../mcp/handshake.ts';
import type { Message } from '../mcp/message.ts';
import type { Clock } from '../time/clock.ts';
import { greetingFor, type WorkerKind } from './kind.ts';
import type { Line } from './line.ts';
import { createMirroredParameters, type MirroredParameters } from './mirrored.ts';
import { VisitorLine } from './visitor-line.ts';
import type { Worker } from './worker.ts';

export interface VisitorsParts {
  readonly clock: Clock;
  /** A line for such a caller. */
  readonly lineFor: (caller: Caller, initialize: Message | undefined) => Line;
  /** Has each client a worker to itself? */
  readonly isExclusive: () => boolean;
  readonly workerOf: (serial: number) => Worker | undefined;
}

/** The oldest go when there are more than so many; a caller whose line went gets another. */
const maxLines = 256;

/** The callers of one server that have no session: of the modern era. */
export class Visitors {
  readonly mirrored: MirroredParameters;
  readonly #parts: VisitorsParts;
  readonly #parking: Parking;
  readonly #seal: StateSeal;
  /**
   * By key and what the client can do; where each has a worker to itself, by what it calls itself too. The oldest first.
   */
  readonly #lines = new Map<string, VisitorLine>();
  /** Capabilities as text: those of one client are one object (`createEnvelopeReader`). */
  readonly #texts = new WeakMap<object, string>();

  constructor(parts: VisitorsParts) {
    this.#parts = parts;
    this.mirrored = createMirroredParameters(parts.clock);
    this.#seal = createStateSeal(() => parts.clock.now());
    this.#parking = new Parking({ clock: parts.clock, seal: this.#seal });
  }

  exchange(call: Call): Promise<Reply> {
    return this.#lineOf(call).exchange(call);
  }

  /** The way of the calls of this caller. */
  lineOf(call: Call): Line {
    return this.#lineOf(call).line;
  }

  /** What the server said of itself to a worker for such a caller; waits for one if `known` has nothing. */
  async facts(call: Call, known: (kind: WorkerKind) => ServerFacts | undefined): Promise<ServerFacts> {
    const { line } = this.#lineOf(call);
    const facts = known(line.kind) ?? (await line.onWorker(call, (worker) => worker.facts));
    if (!facts) throw new Error('A worker that is open has answered its handshake');
    return facts;
  }

  /** The parameters of `tool` that are mirrored in headers; at once if its server's list is known. */
  parameters(call: Call, tool: string): readonly MirroredParameter[] | Promise<readonly MirroredParameter[]> {
    return this.mirrored.of(tool) ?? this.#loaded(call, tool);
  }

  async #loaded(call: Call, tool: string): Promise<readonly MirroredParameter[]> {
    const load = (worker: Worker) => untilGivenUp(call.cancellation, this.mirrored.load(worker));
    await this.#lineOf(call).line.onWorker(call, load);
    return this.mirrored.of(tool) ?? [];
  }

  #lineOf(call: Call): VisitorLine {
    const { capabilities = none, clientInfo } = call.visitor ?? {};
    const initialize = this.#parts.isExclusive() ? greetingFor({ clientInfo, capabilities }) : undefined;
    const key = `${call.keyName} ${initialize?.bytes.toString() ?? this.#textOf(capabilities)}`;
    const known = this.#lines.get(key);
    if (known) return known;
    const { tenantId, keyName } = call;
    const line = this.#parts.lineFor({ tenantId, keyName, capabilities, ...noSession }, initialize);
    const made = new VisitorLine({ ...this.#parts, line, parking: this.#parking, seal: this.#seal });
    this.#lines.set(key, made);
    const [oldest] = this.#lines.keys();
    if (this.#lines.size > maxLines && oldest !== undefined) this.#drop(oldest);
    return made;
  }

  #textOf(capabilities: object): string {
    const known = this.#texts.get(capabilities);
    if (known !== undefined) return known;
    const text = JSON.stringify(capabilities);
    this.#texts.set(capabilities, text);
    return text;
  }

  #drop(key: string): void {
    const { line } = this.#lines.get(key) ?? {};
    this.#lines.delete(key);
    // An exclusive worker may be at work on it just now; it is reaped when idle like any other.
    if (line && !line.isExclusive) line.hangUp('its caller was not heard of for long');
  }
}

const none = {};

/** Nobody is there between two calls; what a call hears comes on its own stream. */
const noSession: Pick<Caller, 'hear' | 'ask' | 'isListening'> = {
  hear: (notification, call) => call?.tell([notification.bytes]),
  ask: () => undefined,
  isListening: false,
};
