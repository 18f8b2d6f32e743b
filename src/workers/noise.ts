import type { Clock } from '../time/clock.ts';

/** Lines on stdout that are no messages, banners and stray logs: tolerated up to this many, and this many bytes, a minute. */
const maxNoise = { lines: 100, bytes: 64 * 1024, windowMs: 60_000 };

/** Counts what a child writes beside the protocol; true while it is bearable. */
export function createNoiseMeter(clock: Clock): (bytes: number) => boolean {
  let lines = 0;
  let bytes = 0;
  let since = clock.now();
  return (more) => {
    const now = clock.now();
    if (now - since > maxNoise.windowMs) {
      lines = 0;
      bytes = 0;
      since = now;
    }
    lines++;
    bytes += more;
    return lines <= maxNoise.lines && bytes <= maxNoise.bytes;
  };
}
