/** How long things took, in fixed memory: 1 KiB, whatever the number of calls. */
export interface Latency {
  record(ms: number): void;
  /** `share` from 0 to 1; null while nothing was recorded. Right to within 5 %. */
  percentile(share: number): number | null;
}

const smallestMs = 0.01;
const stepsPerDoubling = 8;
/** 0.01 ms to about 12 hours; what lies outside falls into the first or last step. */
const steps = 256;
/** At this many records all counts are halved, so that yesterday's calls do not hide today's. */
const memory = 10_000;

export function createLatency(): Latency {
  const counts = new Uint32Array(steps);
  let total = 0;

  const fade = (): void => {
    total = 0;
    for (let step = 0; step < steps; step += 1) {
      const half = (counts[step] ?? 0) >>> 1;
      counts[step] = half;
      total += half;
    }
  };

  return {
    record(ms) {
      const step = stepOf(ms);
      counts[step] = (counts[step] ?? 0) + 1;
      total += 1;
      if (total >= memory) fade();
    },
    percentile(share) {
      if (total === 0) return null;
      let left = Math.max(1, Math.ceil(total * share));
      for (let step = 0; step < steps; step += 1) {
        left -= counts[step] ?? 0;
        if (left <= 0) return middleOf(step);
      }
      return middleOf(steps - 1);
    },
  };
}

function stepOf(ms: number): number {
  // Also catches NaN and negative times, which no comparison below would.
  if (!(ms > smallestMs)) return 0;
  return Math.min(steps - 1, Math.floor(Math.log2(ms / smallestMs) * stepsPerDoubling));
}

function middleOf(step: number): number {
  return smallestMs * 2 ** ((step + 0.5) / stepsPerDoubling);
}
