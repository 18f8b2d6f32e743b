import { monitorEventLoopDelay } from 'node:perf_hooks';
import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { Announce } from '../events/events.ts';
import type { Strain } from './admission.ts';

export interface StrainParts {
  /** The longest the event loop may keep a call waiting on average, in milliseconds; 0: it is not looked at. */
  readonly loopDelay: number;
  /** How much memory the proxy's own process may hold, in bytes; undefined: half of what there is. */
  readonly memory: number | undefined;
  readonly announce: Announce;
  /** The memory the process holds, in bytes. */
  readonly residentBytes?: () => number;
}

export interface StrainMeter {
  readonly now: () => Strain;
  close(): void;
}

/** How often it is looked at, in milliseconds. */
const lookEveryMs = 250;
/** The delay is sampled so often, in milliseconds; Node counts the sample itself as delay. */
const sampleMs = 50;
/** It is over once there is so much less than the limit: otherwise it would come and go with every look. */
const ease = 0.8;
/** Of the heap Node may have; beyond, it does little but collect garbage. */
const mostHeap = 0.9;

/** Watches whether the proxy can take more work: how late its event loop is, and how much memory it holds. */
export function watchStrain(parts: StrainParts): StrainMeter {
  const { loopDelay, announce, residentBytes = () => process.memoryUsage.rss() } = parts;
  const memory = parts.memory ?? Math.min(process.constrainedMemory() || Infinity, totalmem()) / 2;
  const delays = monitorEventLoopDelay({ resolution: sampleMs });
  delays.enable();
  let strain: Strain;
  let lookedAt = performance.now();

  function look(): Strain {
    const lateMs =
      delays.count === 0 ? performance.now() - lookedAt - lookEveryMs : delays.mean / 1e6 - sampleMs;
    lookedAt = performance.now();
    delays.reset();
    const { used_heap_size: heap, heap_size_limit: mostBytes } = getHeapStatistics();
    const within = (limit: number, kind: Strain) => (strain === kind ? limit * ease : limit);
    if (residentBytes() > within(memory, 'memory')) return 'memory';
    if (heap > within(mostBytes * mostHeap, 'memory')) return 'memory';
    return loopDelay > 0 && lateMs > within(loopDelay, 'loop') ? 'loop' : undefined;
  }

  const timer = setInterval(() => {
    const seen = look();
    if (seen === strain) return;
    strain = seen;
    announce(seen === undefined ? { type: 'strain.over' } : { type: 'strain.began', of: seen });
  }, lookEveryMs).unref();
  return {
    now: () => strain,
    close() {
      clearInterval(timer);
      delays.disable();
    },
  };
}
