import { backoff } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';

/** What a server's record of failures allows right now. */
export interface Allowance {
  /** How long until it may be started again, in milliseconds; 0: now. */
  readonly waitMs: number;
  /** It keeps failing, or the wait is long: callers are refused at once and told when to come back. */
  readonly failFast: boolean;
}

/** Remembers how a server's starts went. Restarts are on demand only: while nobody asks, nothing is started. */
export interface Restarts {
  allowance(): Allowance;
  /** A start failed, or a worker ended by itself. `permanent`: no use to try again until something changes. */
  failed(permanent: boolean): void;
  /** A worker answered its handshake: callers need not wait, but if it ends like those before, the record goes on. */
  started(): void;
  /** A worker answered a call: it works again. */
  proved(): void;
  /** A worker has lived for `soundAfterMs`: the record is clean. */
  sound(): void;
}

export const restartBounds = {
  baseMs: 1000,
  maxMs: 60_000,
  /** So many failures within `windowMs` open the breaker. */
  breakAfter: 5,
  windowMs: 60_000,
  soundAfterMs: 60_000,
  /** Callers wait through a backoff that is no longer than this. */
  patienceMs: 2000,
};

export function createRestarts(clock: Clock): Restarts {
  let recent: number[] = [];
  let failures = 0;
  let notBefore = 0;
  let broken = false;
  return {
    allowance() {
      const waitMs = Math.max(0, notBefore - clock.now());
      return { waitMs, failFast: waitMs > 0 && (broken || waitMs > restartBounds.patienceMs) };
    },
    failed(permanent) {
      const now = clock.now();
      failures++;
      recent = [...recent, now].filter((at) => now - at < restartBounds.windowMs);
      // Once broken it stays so until a worker has answered a call: a failed probe must not reopen the door.
      broken ||= permanent || recent.length >= restartBounds.breakAfter;
      const wait = backoff(failures, restartBounds.baseMs, restartBounds.maxMs);
      notBefore =
        now + (permanent ? restartBounds.maxMs : broken ? Math.max(wait, restartBounds.baseMs) : wait);
    },
    started() {
      notBefore = 0;
    },
    proved() {
      broken = false;
    },
    sound() {
      broken = false;
      failures = 0;
      recent = [];
    },
  };
}
