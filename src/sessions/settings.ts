import { z } from 'zod';
import { bytes } from '../yaml/bytes.ts';
import { duration } from '../yaml/duration.ts';

/** `sessions:` in proxy.config.yaml: how long clients may stay, and how many. */
export const sessionsShape = {
  /** A session that nobody uses ends after this. */
  idle: duration(100).default(1_800_000),
  /** No session lives longer. */
  maxAge: duration(1000).default(86_400_000),
  max: z.int().min(1).default(10_000),
  maxPerTenant: z.int().min(1).default(1000),
  /** What is kept for clients that lost their connection (`Last-Event-ID`). */
  replay: z
    .strictObject({
      /** Messages of one session; 0: nothing is kept. */
      events: z.int().min(0).max(100_000).default(500),
      perSession: bytes(1024).default(4 * 1024 ** 2),
      total: bytes(1024).default(64 * 1024 ** 2),
      keep: duration(1000).default(300_000),
      retry: duration(10).default(1000),
    })
    .prefault({}),
};
