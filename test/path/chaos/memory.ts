import { residentMiB } from '../../support/resident-memory.ts';

/** How often is looked, in milliseconds. */
const everyMs = 250;

/** Looks at the memory of a process until it is told to stop. */
export function watchMemory(pid: number): { stop(): readonly number[] } {
  const seen: number[] = [];
  const timer = setInterval(() => seen.push(Math.round(residentMiB(pid))), everyMs);
  return {
    /** The median of each third of the time, in MiB. */
    stop() {
      clearInterval(timer);
      const third = Math.ceil(seen.length / 3);
      return [0, 1, 2].map((nth) => median(seen.slice(nth * third, (nth + 1) * third)));
    },
  };
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
