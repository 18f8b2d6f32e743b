import { z } from 'zod';

/** One key under `keys:` in a tenant's file. Only its SHA-256 is kept; the key itself is printed once and forgotten. */
export const keyEntry = z.strictObject({
  name: z.string().min(1).max(63),
  /** SHA-256 of the whole key as the client sends it, in hex. */
  sha256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, 'write the SHA-256 of the key: 64 hex digits (`proxy key create` does it)')
    .transform((hex) => hex.toLowerCase()),
  created: z.string().optional(),
  /** ISO date or date and time; from then on the key is refused. */
  expires: z
    .string()
    .refine((text) => !Number.isNaN(Date.parse(text)), 'write a date such as 2027-01-31')
    .optional(),
});

export type KeyEntry = z.infer<typeof keyEntry>;
