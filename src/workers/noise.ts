import type { Clock } from '../time/clock.ts';

/** Lines on stdout that are no messages, banners and stray logs: so many, and so many bytes, in a minute without a message. */
const maxNoise = { lines: 100, bytes: 64 * 1024, windowMs: 60_000 };

/** Counts what a child writes beside the protocol. */
export interface NoiseMeter {
  /** Another line of so many bytes that is no message; true while it is bearable. */
  readonly isBearable: (bytes: number) => boolean;
  /** A message came: a server that prints a line with each of its answers is a nuisance and no danger. */
  readonly message: () => void;
}

export function createNoiseMeter(clock: Clock): NoiseMeter {
  let lines = 0;
  let bytes = 0;
  let since = clock.now();
  return {
    isBearable(more) {
      const now = clock.now();
      if (now - since > maxNoise.windowMs) {
        lines = 0;
        bytes = 0;
        since = now;
      }
      lines++;
      bytes += more;
      return lines <= maxNoise.lines && bytes <= maxNoise.bytes;
    },
    message() {
      lines = 0;
      bytes = 0;
    },
  };
}
