import { z } from 'zod';
import type { Secret } from '../secrets/secret.ts';
import { type Era, eras } from '../mcp/versions.ts';
import { bytes } from '../yaml/bytes.ts';
import { type SandboxSettings, sandboxSettings } from './sandbox/settings.ts';
import { duration } from '../yaml/duration.ts';

/** Which sessions may be on one worker at the same time; `docs/configuration.md` says when to take which. */
export const sharingModes = ['shared', 'leased', 'exclusive'] as const;
export type Sharing = (typeof sharingModes)[number];

const nameAdvice = 'a variable is named with letters, digits and _, and does not begin with a digit';

/** How many workers a tenant's server may have, and how long they live. Every key has a default. */
export const poolShape = {
  /** Kept running although idle; more than 0 starts them ahead of the first call. */
  min: z.int().min(0).max(100).default(0),
  max: z.int().min(1).max(100).default(5),
  idle: duration(100).default(600_000),
  maxLifetime: duration(1000).default(3_600_000),
  /** A worker that has answered this many calls is replaced; 0 means never. */
  maxRequests: z.int().min(0).default(0),
  sharing: z.enum(sharingModes).default('shared'),
  /** Calls at once on one shared worker before another is started. */
  concurrency: z.int().min(1).max(10_000).default(32),
  /** Calls that may wait for a worker; one more is refused with TENANT_BUSY. */
  queue: z.int().min(0).max(100_000).default(256),
  /** How long a call may wait for a worker that is busy. */
  wait: duration(1).default(30_000),
  /** Answer handshakes and lists at once, with what was answered the last time, while a worker starts. */
  remember: z.boolean('write true or false').default(true),
};
export const poolSettings = z.strictObject(poolShape);
export type PoolSettings = z.infer<typeof poolSettings>;

/** The part of a tenant's YAML that describes a stdio server, before `${NAME}` is resolved. */
export const serverShape = {
  /** A server that comes with the proxy, by its name; in place of `command` and `args`. */
  use: z.string().min(1).optional(),
  command: z.string().min(1).optional(),
  args: z.array(z.string('quote it, so that it is text')).default([]),
  env: z
    .record(
      z.string().regex(/^(?!__proto__$)[A-Za-z_][A-Za-z0-9_]*$/, nameAdvice),
      z.string('quote it, so that it is text'),
    )
    .default({}),
  /** Where the process starts; relative to the folder of proxy.config.yaml. */
  cwd: z.string().min(1).optional(),
  /** How long the process may take until it has answered its handshake. */
  startTimeout: duration(100).default(30_000),
  /** The revisions the server speaks: with `initialize` (legacy) or without (modern, 2026-07-28). `auto`: it is asked. */
  era: z.enum(['auto', ...eras]).default('auto'),
  /** The longest line the process may write. */
  maxReply: bytes(1024).default(16 * 1024 ** 2),
  /** What it may reach, beyond or less than every other. */
  sandbox: sandboxSettings.prefault({}),
};

/** A stdio server ready to be started: everything resolved, nothing left to look up. Frozen. */
export interface ServerSpec {
  /** The name under `servers:`, or `default` for the one under `server:`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The tenant's own variables, resolved: secrets. Never in argv. */
  readonly env: Readonly<Record<string, Secret>>;
  /** Absolute. */
  readonly cwd: string;
  readonly startTimeout: number;
  /** Undefined: the server is asked which it speaks. */
  readonly era: Era | undefined;
  readonly maxReply: number;
  /** With absolute paths. */
  readonly sandbox: SandboxSettings;
  readonly pool: PoolSettings;
  /** 8 hex digits over all of the above: another one means new workers. */
  readonly generation: string;
}
