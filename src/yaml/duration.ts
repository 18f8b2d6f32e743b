import { z } from 'zod';

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A year: longer is a slip of the finger. */
const maxMs = 365 * 86_400_000;
const shape = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** `"30s"` to milliseconds; undefined if it is not a duration. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = shape.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  const ms = Math.round(Number(amount) * (units[unit] ?? 0));
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** A duration in YAML: a number and a unit, from `minMs` to a year. The parsed value is in milliseconds. */
export function duration(minMs = 0) {
  return z.string('write a duration such as "30s", "5m" or "1h"').transform((text, ctx) => {
    const ms = parseDuration(text);
    if (ms === undefined) {
      ctx.addIssue({
        code: 'custom',
        message: 'write a number and a unit: ms, s, m, h or d, such as 30s or 5m',
      });
      return z.NEVER;
    }
    if (ms < minMs) {
      ctx.addIssue({ code: 'custom', message: `write at least ${minMs}ms` });
      return z.NEVER;
    }
    if (ms > maxMs) {
      ctx.addIssue({ code: 'custom', message: 'write at most 365d' });
      return z.NEVER;
    }
    return ms;
  });
}
