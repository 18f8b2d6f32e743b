import { type ChildProcess, fork } from 'node:child_process';
import type { Server } from 'node:net';
import { builtProgram } from '../built-program.ts';
import { markName } from '../processes.ts';
import type { Destination } from './destination.ts';
import type { FromListeners, FromRelay, ToRelay, Unreached } from './egress-messages.ts';
import type { Way } from './ways.ts';

export interface RelayParts {
  /** What the keeper's processes carry in their environment. */
  readonly mark: string;
  /** A server did not get where it may go. */
  readonly unreached: (id: number, told: Unreached) => void;
  /** It died: none of its ways leads anywhere any more. */
  readonly lost: () => void;
}

/** A launch whose listeners are on their way. */
interface Pending {
  /** How many have not come out of the room, and how many the relay does not have. */
  inRoom: number;
  left: number;
  readonly resolve: () => void;
  readonly reject: (why: Error) => void;
}

/** The keeper's line to its relay, which is there from the first server on that needs one. */
export class RelayLine {
  readonly #parts: RelayParts;
  #relay: ChildProcess | undefined;
  readonly #pending = new Map<number, Pending>();

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /**
   * Takes the listeners that come out of the room around a process to the relay. Resolves when all of them lead
   * somewhere. @throws {Error} in words for an operator
   */
  async open(id: number, ways: readonly Way[], room: ChildProcess): Promise<void> {
    const relay = (this.#relay ??= this.#start());
    try {
      await new Promise<void>((resolve, reject) => {
        const pending: Pending = { inRoom: ways.length, left: ways.length, resolve, reject };
        this.#pending.set(id, pending);
        room.on('message', (message: FromListeners, listener) => {
          if (message.type === 'failed') reject(noWay(message.words));
          else if (this.#pending.get(id) !== pending) (listener as Server).close();
          else hand(relay, { id, at: message.at, to: ways[message.at] }, listener as Server);
          // What makes them ends when nobody listens to it any more.
          if (message.type === 'failed' || --pending.inRoom === 0) room.disconnect();
        });
        room.once('disconnect', () => {
          if (pending.inRoom > 0) reject(noWay('they did not come'));
        });
      });
    } finally {
      this.#pending.delete(id);
    }
  }

  /** Ends what a launch has there, and on its way. */
  close(id: number): void {
    this.#pending.get(id)?.reject(noWay('it ended'));
    this.#pending.delete(id);
    if (this.#relay) send(this.#relay, { type: 'close', id });
  }

  #start(): ChildProcess {
    const relay = fork(builtProgram('egress/relay'), [], {
      execArgv: ['--max-semi-space-size=1'],
      // Names are looked up by threads of Node's, and one that gives no answer has one for long.
      env: { [markName]: `${this.#parts.mark}.relay`, UV_THREADPOOL_SIZE: '64' },
      stdio: ['pipe', 'ignore', 'ignore', 'ipc'],
    });
    let isLost = false;
    const lose = (): void => {
      if (isLost) return;
      isLost = true;
      this.#relay = undefined;
      for (const { reject } of this.#pending.values()) reject(noWay('the relay ended'));
      this.#parts.lost();
    };
    relay.stdin?.on('error', () => undefined);
    relay.on('message', (message) => this.#hear(message as FromRelay));
    relay.once('exit', lose);
    relay.once('error', lose);
    relay.on('error', () => undefined);
    return relay;
  }

  #hear(message: FromRelay): void {
    if (message.type === 'unreached') {
      const { id, host, port, reason, suppressed } = message;
      this.#parts.unreached(id, { host, port, reason, suppressed });
      return;
    }
    const pending = this.#pending.get(message.id);
    if (pending && --pending.left === 0) pending.resolve();
  }
}

const noWay = (words: string): Error => new Error(`its ways out of the sandbox cannot be made: ${words}`);

/** Two would accept, until ours is closed; but nobody connects before the gate is open. */
function hand(
  relay: ChildProcess,
  { id, at, to }: { id: number; at: number; to: Destination | undefined },
  listener: Server,
): void {
  if (to) send(relay, { type: 'open', id, at, to: { host: to.host, port: to.port } }, listener);
  else listener.close();
}

function send(relay: ChildProcess, message: ToRelay, listener?: Server): void {
  if (relay.connected) relay.send(message, listener, {}, () => listener?.close());
  else listener?.close();
}
