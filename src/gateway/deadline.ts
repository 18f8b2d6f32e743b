import type { Call } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import type { Deadline } from '../tenants/tenant.ts';
import type { Clock } from '../time/clock.ts';

/** Every sign of progress gives a call `call` ms more, up to `max` ms in all. Returns how to stop the clock. */
export function startDeadline(call: Call, { call: callMs, max: maxMs }: Deadline, clock: Clock): () => void {
  const startedAt = clock.now();
  let lastSign = startedAt;
  let stop = clock.after(Math.min(callMs, maxMs), check);
  call.progressed = () => {
    lastSign = clock.now();
  };

  function check(): void {
    const now = clock.now();
    const leftMs = Math.min(lastSign + callMs, startedAt + maxMs) - now;
    if (leftMs > 0) {
      stop = clock.after(leftMs, check);
      return;
    }
    const executed = call.dispatched ? 'unknown' : 'no';
    const advice = call.dispatched ? 'the tool may have run' : 'it never reached the server';
    call.cancellation.cancel(
      new ProxyError('TIMED_OUT', `No answer within ${Math.round(now - startedAt)} ms; ${advice}`, {
        executed,
      }),
    );
  }

  return () => {
    stop();
  };
}
