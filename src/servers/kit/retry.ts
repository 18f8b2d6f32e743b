import { type Clock, pause } from './clock.ts';
import { ToolFailure } from './failure.ts';
import type { Logger } from './logger.ts';

export interface RetryOptions {
  /** Whether asking twice does no harm. A write is asked again only if it cannot have happened. */
  readonly isSafe: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Tries in all. */
  readonly attempts?: number;
  /** The first wait; doubled each time. */
  readonly baseMs?: number;
  /** No single wait is longer. If the vendor asks for more, the failure is handed on with that time. */
  readonly maxWaitMs?: number;
  /** No try begins later than this after the first: the caller has a deadline too. */
  readonly giveUpAfterMs?: number;
  readonly random?: () => number;
}

/** Runs `attempt` until it succeeds, fails for good, or has been tried often enough. Honours the vendor's Retry-After. */
export async function withRetry<Value>(attempt: () => Promise<Value>, options: RetryOptions): Promise<Value> {
  const { attempts = 3, giveUpAfterMs = 20_000, clock } = options;
  const lastTry = clock.now() + giveUpAfterMs;
  for (let tried = 1; ; tried++) {
    try {
      return await attempt();
    } catch (thrown) {
      const waitMs = tried < attempts ? waitBefore(thrown, tried, options) : undefined;
      if (waitMs === undefined || clock.now() + waitMs > lastTry) throw thrown;
      const { code } = thrown as ToolFailure;
      options.log.debug('request.retried', `Asking again after ${code}`, {
        tried,
        waitMs: Math.round(waitMs),
      });
      await pause(clock, waitMs, options.signal);
    }
  }
}

/** Milliseconds to wait before the next try, or undefined if there must be none. */
function waitBefore(thrown: unknown, tried: number, options: RetryOptions): number | undefined {
  const { baseMs = 500, maxWaitMs = 10_000, random = Math.random } = options;
  if (!mayAskAgain(thrown, options)) return undefined;
  if (thrown.retryAfterSeconds !== undefined) {
    const askedMs = thrown.retryAfterSeconds * 1_000;
    return askedMs <= maxWaitMs ? askedMs : undefined;
  }
  const fullMs = Math.min(maxWaitMs, baseMs * 2 ** (tried - 1));
  // Half to all of it by chance, so that many do not come back at once.
  return fullMs / 2 + (fullMs / 2) * random();
}

function mayAskAgain(thrown: unknown, { isSafe, signal }: RetryOptions): thrown is ToolFailure {
  if (!(thrown instanceof ToolFailure) || !thrown.retryable || signal.aborted) return false;
  return isSafe || thrown.executed === 'no';
}

/** Seconds from a Retry-After header, which is a number or a date; undefined if there is none that makes sense. */
export function retryAfterSeconds(headers: Headers, clock: Clock): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const at = text === '' ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - clock.wall()) / 1_000));
}
