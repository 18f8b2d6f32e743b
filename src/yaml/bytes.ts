import { z } from 'zod';

const units: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
const shape = /^(\d+)(B|KiB|MiB|GiB)$/;

/** A size in YAML: a whole number and B, KiB, MiB or GiB. The parsed value is in bytes. */
export function bytes(minBytes = 0) {
  return z.string('write a size such as "4MiB"').transform((text, ctx) => {
    const [, amount, unit] = shape.exec(text) ?? [];
    const size = Number(amount) * (units[unit ?? ''] ?? Number.NaN);
    if (!Number.isSafeInteger(size) || size < minBytes) {
      ctx.addIssue({
        code: 'custom',
        message: `write a whole number and B, KiB, MiB or GiB, at least ${minBytes}B`,
      });
      return z.NEVER;
    }
    return size;
  });
}
