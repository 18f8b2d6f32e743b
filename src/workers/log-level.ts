import { isLogWanted } from '../mcp/methods.ts';
import type { AttachedLine } from './attached-line.ts';
import type { CallOfLine } from './call-of-line.ts';

/** Wants a level of log messages: a session, or a call that says so itself. */
export interface LogListener {
  readonly era: AttachedLine['era'];
  readonly logLevel: string | undefined;
}

export interface WorkerLogLevelParts {
  /** Tell the worker. */
  readonly tell: (level: string) => void;
  /** Can it be told? */
  readonly isAble: () => boolean;
  /** Who is on the worker, live: its sessions, and those whose calls it has. */
  readonly listeners: () => Iterable<LogListener>;
}

/** What a session that has said nothing is taken to want: all that is not for debugging. */
const usual = 'info';

/**
 * A legacy worker has one level for everybody (2025-11-25 server/utilities/logging): it is told the one of the session on
 * it that wants most, and what another does not want is kept from that one when it comes.
 */
export class WorkerLogLevel {
  readonly #parts: WorkerLogLevelParts;
  /** Undefined: what the server itself holds for right. */
  #told: string | undefined;

  constructor(parts: WorkerLogLevelParts) {
    this.#parts = parts;
  }

  /** The worker was told by its only client. */
  wasTold(level: string): void {
    this.#told = level;
  }

  /** Somebody wants to hear from this level on, now. */
  want(level: string): void {
    if (isMore(level, this.#told ?? 'notice')) this.#tell(level);
  }

  joined({ era, logLevel }: LogListener): void {
    if (this.#told === undefined) {
      if (logLevel !== undefined) this.review();
    } else if (era === 'legacy') this.want(logLevel ?? usual);
  }

  left({ logLevel }: LogListener): void {
    if (logLevel !== undefined && logLevel === this.#told) this.review();
  }

  /** One of them wants another level than before. */
  review(): void {
    const listeners = [...this.#parts.listeners()];
    const most = listeners.reduce<string | undefined>(
      (before, each) => theMore(before, each.logLevel),
      undefined,
    );
    if (most === undefined) return;
    const isUsualWanted = listeners.some(({ era, logLevel }) => logLevel === undefined && era === 'legacy');
    const isUsualMore = isUsualWanted && isMore(usual, most);
    // As long as it was told nothing, who has said nothing hears all that the server holds for right.
    if (isUsualMore && this.#told === undefined) return;
    this.#tell(isUsualMore ? usual : most);
  }

  #tell(level: string): void {
    if (level === this.#told || !this.#parts.isAble()) return;
    this.#told = level;
    this.#parts.tell(level);
  }
}

/** Does who asks for `level` hear more than who asks for `other`? */
const isMore = (level: string, other: string) => level !== other && isLogWanted(other, level);

const theMore = (one: string | undefined, other: string | undefined) =>
  one === undefined || (other !== undefined && isMore(other, one)) ? other : one;

/** Who makes a call says its level with it, if it has no session; else its session has said it. */
export const logListenerOf = ({ call, line }: CallOfLine): LogListener =>
  call.visitor ? { era: 'modern', logLevel: call.visitor.logLevel } : line;
