import PQueue from 'p-queue';
import { toFailure, ToolFailure } from './failure.ts';

export interface LimiterOptions {
  /** At once, for each key. */
  readonly concurrency: number;
  /** Waiting, for each key; one more is refused. */
  readonly maxWaiting?: number;
}

export interface Limiter {
  /** Runs `task` when there is room under `key`. Leaves the queue when the signal is aborted. */
  run<Value>(key: string, signal: AbortSignal, task: () => Promise<Value>): Promise<Value>;
}

/** A vendor that counts requests at once, for each kind of record, is never asked more than it allows. */
export function createLimiter({ concurrency, maxWaiting = 200 }: LimiterOptions): Limiter {
  const queues = new Map<string, PQueue>();
  return {
    async run(key, signal, task) {
      let queue = queues.get(key);
      if (!queue) queues.set(key, (queue = new PQueue({ concurrency })));
      if (queue.size >= maxWaiting) {
        const message = `${maxWaiting} requests for ${key} are waiting already`;
        throw new ToolFailure('RATE_LIMITED', message, { hint: 'Ask again a little later', retryable: true });
      }
      try {
        return await queue.add(task, { signal });
      } catch (thrown) {
        throw toFailure(thrown, signal);
      }
    },
  };
}
