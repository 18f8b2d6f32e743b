import { createListeningBudget, type ListeningBudget } from './budget.ts';
import { splitLines } from '../mcp/framing.ts';
import type { Clock } from '../time/clock.ts';
import type { Child } from './launch.ts';

export interface ProcessChannelListener {
  line(line: Buffer): void;
  /** The child broke a bound; it must go. */
  violation(reason: string): void;
}

/**
 * So much goes out in one write: one system call instead of many, and no more than a pipe holds, so that each write
 * that ends is a sign that the child reads.
 */
const writeBytes = 64 * 1024;
/** How long the child may leave its stdin unread, in milliseconds. */
const stuckAfter = 10_000;
/** A process that ends closes its pipes first: so long it has for the rest, in milliseconds. */
const farewellMs = 900;

/** A child's stdin and stdout as lines, bounded both ways. */
export class ProcessChannel {
  /** Settles once stdout is at its end, so that nothing that was written is lost. */
  readonly drained: Promise<void>;

  readonly #child: Child;
  readonly #clock: Clock;
  readonly #listener: ProcessChannelListener;
  #queue: Buffer[] = [];
  /** Not yet handed to the system, and in the write that is under way. */
  #queuedBytes = 0;
  #writtenBytes = 0;
  #isFlushing = false;
  #isEnding = false;
  #stopStuckTimer: (() => void) | undefined;
  readonly #budget: ListeningBudget;
  /** It has ended: what it has said is read to its end, which is near. */
  #isOver = false;

  /** `maxLine` is the longest line the child may write, in bytes. */
  constructor(child: Child, clock: Clock, maxLine: number, listener: ProcessChannelListener) {
    this.#child = child;
    this.#clock = clock;
    this.#listener = listener;
    this.#budget = createListeningBudget(clock);
    const { stdin, stdout } = child;
    const lines = splitLines(
      maxLine,
      (line) => {
        this.#budget.heard(line.length);
        listener.line(line);
      },
      () => listener.violation(`it wrote a line of more than ${maxLine} bytes`),
    );
    stdout.on('data', (chunk: Buffer) => {
      lines.push(chunk);
      this.#restIfOverdrawn();
    });
    void child.exit.then(() => {
      this.#isOver = true;
      stdout.resume();
    });
    // The exit tells all there is to tell; without these listeners a broken pipe would end the proxy.
    stdout.on('error', () => undefined);
    stdin.on('error', () => {
      this.#closed('stdin');
    });
    this.drained = new Promise((resolve) => {
      for (const event of ['close', 'end', 'error']) stdout.once(event, () => resolve());
    });
    void this.drained.then(() => {
      this.#closed('stdout');
    });
  }

  /** Bytes the child has not taken yet. */
  get backlogBytes(): number {
    return this.#queuedBytes + this.#writtenBytes;
  }

  /** Write one line, given in pieces and with its break. Lines of one turn of the event loop go out together. */
  send(line: readonly Buffer[]): void {
    if (!this.#isFlushing) {
      this.#isFlushing = true;
      setImmediate(() => this.#flush());
    }
    this.#budget.sent();
    for (const part of line) {
      this.#queue.push(part);
      this.#queuedBytes += part.length;
    }
  }

  /** Wait until all was read that the child has said, but no longer than this: others may hold its pipes open. */
  async drainedWithin(ms: number): Promise<void> {
    const over = new Promise<void>((resolve) => void this.#clock.after(ms, resolve));
    await Promise.race([Promise.all([this.drained, this.#child.lastWords]), over]);
  }

  /** Tell the child that no more will come, after what is on its way: a goodbye must not overtake a cancellation. */
  end(): void {
    this.#isEnding = true;
    this.#stopStuckTimer?.();
    if (!this.#isFlushing) this.#child.stdin.end();
  }

  /** What it says beyond its budget waits in its own pipe, and it with it: nothing is lost, and nobody else waits. */
  #restIfOverdrawn(): void {
    const restMs = this.#budget.overdrawnMs();
    if (restMs === 0 || this.#isOver) return;
    const { stdout } = this.#child;
    stdout.pause();
    this.#clock.after(restMs, () => stdout.resume());
  }

  #flush(): void {
    const { stdin } = this.#child;
    if (!stdin.writable) return;
    if (this.#queuedBytes === 0) {
      this.#isFlushing = false;
      if (this.#isEnding) stdin.end();
      return;
    }
    const bytes = this.#takeUpTo(writeBytes);
    this.#writtenBytes = bytes.length;
    stdin.write(bytes, (error) => {
      this.#stopStuckTimer?.();
      this.#stopStuckTimer = undefined;
      this.#writtenBytes = 0;
      if (!error) this.#flush();
    });
    // Nearly always the pipe has taken it already, and no timer is needed.
    if (stdin.writableLength > 0 && !this.#isEnding) this.#startStuckTimer();
  }

  /** The next bytes of the queue, joined. */
  #takeUpTo(max: number): Buffer {
    const parts: Buffer[] = [];
    let size = 0;
    let taken = 0;
    for (const part of this.#queue) {
      if (size + part.length > max) break;
      parts.push(part);
      size += part.length;
      taken++;
    }
    const next = this.#queue[taken];
    if (taken === 0 && next) {
      this.#queue[0] = next.subarray(max);
      parts.push(next.subarray(0, max));
      size = max;
    } else {
      this.#queue = taken === this.#queue.length ? [] : this.#queue.slice(taken);
    }
    this.#queuedBytes -= size;
    const [only] = parts;
    return parts.length === 1 && only ? only : Buffer.concat(parts, size);
  }

  /** Whoever closes one of its pipes and lives on hears or answers nothing any more. */
  #closed(name: 'stdin' | 'stdout'): void {
    this.#clock.after(farewellMs, () => {
      if (!this.#isOver && !this.#isEnding) this.#listener.violation(`it closed its ${name}, and runs on`);
    });
  }

  #startStuckTimer(): void {
    this.#stopStuckTimer = this.#clock.after(stuckAfter, () => {
      this.#listener.violation(`it has not read its input for ${stuckAfter} ms`);
    });
  }
}
