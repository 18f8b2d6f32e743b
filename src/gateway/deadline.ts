import type { Call, Deadline } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import type { Roster } from '../calls/roster.ts';
import type { Clock } from '../time/clock.ts';

/** How late the end of a call's time may be noticed, in milliseconds. */
export const lookEveryMs = 50;

/** Who asks for the result of a task waits for its end, and the server is silent until then: only `deadline.max` counts. */
export const untilTheTaskIsOver = ({ max }: Deadline): Deadline => ({ call: max, max });

/**
 * Gives calls up whose time is over: `deadline.call` at the server without a sign of progress, `deadline.max` in all. How long
 * one waits for a worker is bounded where it waits. Returns what to call when a call has joined the roster.
 *
 * One timer looks at all of them. With a timer for each, its objects outlived the call, and three quarters of what the
 * proxy spent on garbage collection was theirs.
 */
export function createDeadlines(calls: Roster<Call>, clock: Clock): () => void {
  let isLooking = false;

  function look(): void {
    const now = clock.now();
    for (const call of [...calls]) if (leftMs(call, now) <= 0) giveUp(call, now);
    isLooking = calls.size > 0;
    if (isLooking) clock.after(lookEveryMs, look);
  }

  return () => {
    if (isLooking) return;
    isLooking = true;
    clock.after(lookEveryMs, look);
  };
}

function leftMs({ deadline, dispatched, heardAt, startedAt, openQuestions }: Call, now: number): number {
  const left = startedAt + deadline.max - now;
  // While it has not come to the server, or the user thinks about an answer, the server cannot be late.
  return !dispatched || openQuestions > 0 ? left : Math.min(heardAt + deadline.call - now, left);
}

function giveUp({ cancellation, dispatched, startedAt }: Call, now: number): void {
  const executed = dispatched ? 'unknown' : 'no';
  const advice = dispatched ? 'the tool may have run' : 'it never reached the server';
  const message = `No answer within ${Math.round(now - startedAt)} ms; ${advice}`;
  cancellation.cancel(new ProxyError('TIMED_OUT', message, { executed }));
}
