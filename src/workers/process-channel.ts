import { splitLines } from '../mcp/framing.ts';
import type { Clock } from '../time/clock.ts';
import type { Child } from './launch.ts';

/** A child's stdin and stdout as lines, bounded both ways. */
export interface ProcessChannel {
  /** Write one line, given in pieces and with its line break. Lines of one turn of the event loop go out together. */
  send(line: readonly Buffer[]): void;
  /** Bytes the child has not taken yet. */
  readonly backlogBytes: number;
  /** Tell the child that no more will come. */
  end(): void;
  /** Settles once stdout is at its end, so that nothing that was written is lost. */
  readonly drained: Promise<void>;
}

export interface ProcessChannelListener {
  line(line: Buffer): void;
  /** The child broke a bound; it must go. */
  violation(reason: string): void;
}

export interface ChannelBounds {
  readonly maxLine: number;
  /** How long the child may leave its stdin unread, in milliseconds. */
  readonly stuckAfter: number;
}

/** Up to this much is joined into one write: one system call instead of many. */
const joinUpTo = 256 * 1024;

export function processChannel(
  child: Child,
  clock: Clock,
  bounds: ChannelBounds,
  listener: ProcessChannelListener,
): ProcessChannel {
  const { stdin, stdout } = child;
  const lines = splitLines(
    bounds.maxLine,
    (line) => {
      listener.line(line);
    },
    () => {
      listener.violation(`it wrote a line of more than ${bounds.maxLine} bytes`);
    },
  );
  stdout.on('data', (chunk: Buffer) => {
    lines.push(chunk);
  });
  // The exit tells all there is to tell; without these listeners a broken pipe would end the proxy.
  stdout.on('error', () => undefined);
  stdin.on('error', () => undefined);

  let queue: Buffer[] = [];
  let queued = 0;
  let stopStuckTimer: (() => void) | undefined;
  const noLongerStuck = () => {
    stopStuckTimer?.();
    stopStuckTimer = undefined;
  };
  stdin.on('drain', noLongerStuck);

  function write(parts: Buffer[], size: number): boolean {
    if (parts.length === 1 && parts[0]) return stdin.write(parts[0]);
    if (size <= joinUpTo) return stdin.write(Buffer.concat(parts, size));
    return parts.map((part) => stdin.write(part)).every(Boolean);
  }

  function flush(): void {
    const parts = queue;
    const size = queued;
    queue = [];
    queued = 0;
    if (!stdin.writable || write(parts, size) || stopStuckTimer) return;
    stopStuckTimer = clock.after(bounds.stuckAfter, () => {
      listener.violation(`it has not read its input for ${bounds.stuckAfter} ms`);
    });
  }

  return {
    send(line) {
      if (queued === 0) setImmediate(flush);
      for (const part of line) {
        queue.push(part);
        queued += part.length;
      }
    },
    get backlogBytes() {
      return queued + stdin.writableLength;
    },
    end() {
      noLongerStuck();
      // After what is queued in this turn: a goodbye must not overtake a cancellation.
      setImmediate(() => stdin.end());
    },
    drained: new Promise((resolve) => {
      stdout.once('close', resolve);
      stdout.once('end', resolve);
      stdout.once('error', () => {
        resolve();
      });
    }),
  };
}
