import { ProxyError } from '../calls/error.ts';
import type { Announce, ServerFacts } from '../events/events.ts';
import type { Clock } from '../time/clock.ts';
import { type Allowance, createRestarts } from './restarts.ts';

/** Fails fast while a server keeps failing, and says so once per change. */
export interface Breaker {
  readonly isOpen: boolean;
  readonly allowance: Allowance;
  /** A start failed or a worker crashed. */
  failed(permanent: boolean, reason: string): void;
  /** A worker answered its handshake: calls are let through to it. */
  started(): void;
  /** A worker answered a call: the door is open for good. */
  proved(): void;
  /** A worker has lived long: the record is clean. */
  sound(): void;
  /** What callers are told meanwhile, with the time left. */
  refusal(): ProxyError;
}

export function createBreaker(clock: Clock, announce: Announce, facts: ServerFacts): Breaker {
  const restarts = createRestarts(clock);
  let isOpen = false;

  function close(): void {
    if (!isOpen) return;
    isOpen = false;
    announce({ type: 'breaker.closed', ...facts });
  }

  return {
    get isOpen() {
      return isOpen;
    },
    get allowance() {
      return restarts.allowance();
    },
    failed(permanent, reason) {
      restarts.failed(permanent);
      const { failFast, waitMs } = restarts.allowance();
      if (!failFast || isOpen) return;
      isOpen = true;
      announce({ type: 'breaker.opened', ...facts, forMs: Math.round(waitMs), reason });
    },
    started: () => restarts.started(),
    proved() {
      restarts.proved();
      close();
    },
    sound() {
      restarts.sound();
      close();
    },
    refusal() {
      const retryAfterMs = restarts.allowance().waitMs;
      const inSeconds = Math.ceil(retryAfterMs / 1000);
      const message = `The server does not start or keeps crashing; it is tried again in ${inSeconds} s`;
      return new ProxyError('UNAVAILABLE', message, { retryAfterMs });
    },
  };
}
