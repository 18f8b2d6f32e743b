import { z } from 'zod';
import { duration } from '../yaml/duration.ts';

/** `sessions:` in proxy.config.yaml: how long clients may stay, and how many. */
export const sessionsShape = {
  /** A session that nobody uses ends after this. */
  idle: duration(100).default(1_800_000),
  /** No session lives longer. */
  maxAge: duration(1000).default(86_400_000),
  max: z.int().min(1).default(10_000),
  maxPerTenant: z.int().min(1).default(1000),
};
