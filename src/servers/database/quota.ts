import { ToolFailure } from '../kit/failure.ts';
import { createWindowCounter, type WindowCounter } from './window-counter.ts';

export interface QuotaLimits {
  readonly perHour: number | undefined;
  readonly perDay: number | undefined;
}

export interface QuotaUse {
  readonly queries_this_hour?: number;
  readonly queries_this_day?: number;
}

/** How many queries a tenant may ask, over all of its processes and their restarts. */
export interface Quota {
  /** Counts one query. @throws {ToolFailure} QUOTA_EXCEEDED, with when to come back; then nothing was counted. */
  take(): void;
  /** Of each limit that is set. */
  used(): QuotaUse;
  /** Over all of the tenant's processes, or, where the folder cannot be used, each by itself. */
  scope(): 'tenant' | 'process';
}

export interface QuotaParts {
  readonly limits: QuotaLimits;
  /** Of this tenant's database alone. */
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** The folder cannot be used: from now on each process counts for itself. Told once. */
  readonly onUnsaved: (reason: string) => void;
}

interface Window {
  readonly name: 'hour' | 'day';
  readonly max: number;
  readonly lengthMs: number;
  readonly setting: string;
  readonly counter: WindowCounter;
}

const hourMs = 3_600_000;

/** By the clock's hours and days, UTC: then everybody can tell when the next begins. */
export function createQuota({ limits, folder, wall, onUnsaved }: QuotaParts): Quota {
  let wasTold = false;
  const tellOnce = (reason: string): void => {
    if (!wasTold) onUnsaved(reason);
    wasTold = true;
  };
  const windowOf = (name: Window['name'], max: number | undefined, lengthMs: number): readonly Window[] => {
    if (max === undefined) return [];
    const counter = createWindowCounter(folder, name, tellOnce);
    return [{ name, max, lengthMs, setting: `max_queries_per_${name}`, counter }];
  };
  const windows = [
    ...windowOf('hour', limits.perHour, hourMs),
    ...windowOf('day', limits.perDay, 24 * hourMs),
  ];

  return {
    take() {
      const now = wall();
      // All are looked at before any is counted: a query that is refused is none.
      for (const window of windows) {
        if (window.counter.count(begunAt(now, window)) >= window.max) throw exceeded(window, now);
      }
      for (const window of windows) {
        // Another process may have been given the last one meanwhile.
        if (window.counter.add(begunAt(now, window)) > window.max) throw exceeded(window, now);
      }
    },
    scope: () => (wasTold ? 'process' : 'tenant'),
    used() {
      const now = wall();
      return Object.fromEntries(
        windows.map((window) => {
          const used = Math.min(window.max, window.counter.count(begunAt(now, window)));
          return [`queries_this_${window.name}`, used];
        }),
      );
    },
  };
}

const begunAt = (now: number, { lengthMs }: Window): number => now - (now % lengthMs);

function exceeded(window: Window, now: number): ToolFailure {
  const { name, max, lengthMs, setting } = window;
  const endsAt = begunAt(now, window) + lengthMs;
  const next = new Date(endsAt).toISOString().replace('.000Z', 'Z');
  const message = `All ${max} queries that this tenant may ask in one ${name} are used up; the next ${name} begins at ${next}`;
  return new ToolFailure('QUOTA_EXCEEDED', message, {
    retryable: true,
    retryAfterSeconds: Math.max(1, Math.ceil((endsAt - now) / 1_000)),
    hint: `Ask again then; ${setting} is for whoever runs this server to set`,
  });
}
