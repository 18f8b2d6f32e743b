import type { Era } from '../mcp/versions.ts';

/** A server that is asked for its era has so long at least, in milliseconds. */
const leastMs = 10_000;

/**
 * How long a process may be silent that is asked whether its server speaks the modern era, and what its silence means: it
 * may be of the legacy era, or not have started yet, as where `npx` or `uvx` downloads first.
 */
export class ProbePatience {
  /** How long the last process took until it had answered a legacy handshake. */
  #startMs: number | undefined;
  #silentMs: number | undefined;

  /** In milliseconds. */
  get ms(): number {
    return Math.max(leastMs, (this.#startMs ?? 0) * 3);
  }

  /** Nobody knows yet what the silence meant. */
  get isInDoubt(): boolean {
    return this.#silentMs !== undefined;
  }

  /** It was silent for so long. True if that was its answer. */
  silent(ms: number): boolean {
    this.#silentMs = ms;
    return this.#isAnswer();
  }

  /** A process took so long to answer a legacy handshake. True if the silence before it was an answer. */
  started(ms: number): boolean {
    this.#startMs = ms;
    return this.#isAnswer();
  }

  /** A handshake was answered, or refused: a yes to the legacy era alone does not say what the silence meant. */
  heard(era: Era, speaks: boolean): void {
    if (era === 'modern' || !speaks) this.#silentMs = undefined;
  }

  /** Who is up, and silent for as long again, will not answer. Another is to be asked anew, and waited for longer. */
  #isAnswer(): boolean {
    if (this.#silentMs === undefined || this.#startMs === undefined) return false;
    const isAnswer = this.#startMs * 2 <= this.#silentMs;
    this.#silentMs = undefined;
    return isAnswer;
  }
}
