import { splitLines } from '../mcp/framing.ts';
import type { Clock } from '../time/clock.ts';
import type { Child } from './launch.ts';

export interface ProcessChannelListener {
  line(line: Buffer): void;
  /** The child broke a bound; it must go. */
  violation(reason: string): void;
}

/** Up to this much is joined into one write: one system call instead of many. */
const joinUpTo = 256 * 1024;
/** How long the child may leave its stdin unread, in milliseconds. */
const stuckAfter = 10_000;

/** A child's stdin and stdout as lines, bounded both ways. */
export class ProcessChannel {
  /** Settles once stdout is at its end, so that nothing that was written is lost. */
  readonly drained: Promise<void>;

  readonly #child: Child;
  readonly #clock: Clock;
  readonly #listener: ProcessChannelListener;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #stopStuckTimer: (() => void) | undefined;

  /** `maxLine` is the longest line the child may write, in bytes. */
  constructor(child: Child, clock: Clock, maxLine: number, listener: ProcessChannelListener) {
    this.#child = child;
    this.#clock = clock;
    this.#listener = listener;
    const { stdin, stdout } = child;
    const lines = splitLines(
      maxLine,
      (line) => listener.line(line),
      () => listener.violation(`it wrote a line of more than ${maxLine} bytes`),
    );
    stdout.on('data', (chunk: Buffer) => lines.push(chunk));
    // The exit tells all there is to tell; without these listeners a broken pipe would end the proxy.
    stdout.on('error', () => undefined);
    stdin.on('error', () => undefined);
    stdin.on('drain', () => this.#noLongerStuck());
    this.drained = new Promise((resolve) => {
      for (const event of ['close', 'end', 'error']) stdout.once(event, () => resolve());
    });
  }

  /** Bytes the child has not taken yet. */
  get backlogBytes(): number {
    return this.#queuedBytes + this.#child.stdin.writableLength;
  }

  /** Write one line, given in pieces and with its break. Lines of one turn of the event loop go out together. */
  send(line: readonly Buffer[]): void {
    if (this.#queuedBytes === 0) setImmediate(() => this.#flush());
    for (const part of line) {
      this.#queue.push(part);
      this.#queuedBytes += part.length;
    }
  }

  /** Tell the child that no more will come. */
  end(): void {
    this.#noLongerStuck();
    // After what is queued in this turn: a goodbye must not overtake a cancellation.
    setImmediate(() => this.#child.stdin.end());
  }

  #flush(): void {
    const parts = this.#queue;
    const bytes = this.#queuedBytes;
    this.#queue = [];
    this.#queuedBytes = 0;
    if (!this.#child.stdin.writable || this.#write(parts, bytes) || this.#stopStuckTimer) return;
    this.#stopStuckTimer = this.#clock.after(stuckAfter, () => {
      this.#listener.violation(`it has not read its input for ${stuckAfter} ms`);
    });
  }

  /** False once the child has more to read than the pipe holds. */
  #write(parts: readonly Buffer[], bytes: number): boolean {
    const { stdin } = this.#child;
    const [only] = parts;
    if (parts.length === 1 && only) return stdin.write(only);
    if (bytes <= joinUpTo) return stdin.write(Buffer.concat(parts, bytes));
    return parts.map((part) => stdin.write(part)).every(Boolean);
  }

  #noLongerStuck(): void {
    this.#stopStuckTimer?.();
    this.#stopStuckTimer = undefined;
  }
}
