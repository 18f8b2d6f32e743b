/** Time as the proxy sees it. Tests swap it, and an hour passes in a millisecond. */
export interface Clock {
  /** Milliseconds on a clock that never jumps; only differences mean anything. */
  now(): number;
  /** Milliseconds since 1970, for logs and expiry dates, never for timers. */
  wall(): number;
  /** Run once after `ms`; call the returned function to call it off. Does not keep the process alive. */
  after(ms: number, run: () => void): () => void;
}

/** Node runs a timer at once that is longer than this, 24.8 days. */
const maxTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, run) {
    if (ms > maxTimerMs) return afterLong(ms, run);
    const timer = setTimeout(run, ms).unref();
    return () => {
      clearTimeout(timer);
    };
  },
};

function afterLong(ms: number, run: () => void): () => void {
  let stop: () => void = () => undefined;
  stop = systemClock.after(maxTimerMs, () => {
    stop = systemClock.after(ms - maxTimerMs, run);
  });
  return () => {
    stop();
  };
}
