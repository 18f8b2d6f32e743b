import { z } from 'zod';
import { cgroupsModes, isolationModes, limitsShape } from './sandbox/settings.ts';
import { duration } from '../yaml/duration.ts';

/** `workers:` in proxy.config.yaml: bounds over all tenants together. */
export const workersShape = {
  /** Processes at once. When all are taken, the one idle longest makes room. */
  max: z.int().min(1).max(100_000).default(200),
  /** The wall around processes. */
  isolation: z.enum(isolationModes).default('auto'),
  /** Hold each server's processes together with control groups. */
  cgroups: z.enum(cgroupsModes).default('auto'),
  /** What one server may take, unless its own `sandbox` says otherwise. */
  limits: z.strictObject(limitsShape).prefault({}),
  /** Processes that start at the same time; left out: as many as the machine has processors, at least 2. */
  spawns: z.int().min(1).max(1000).optional(),
  /** Names of the proxy's own environment variables that servers get too; none of them should be a secret. */
  passEnv: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'write names of variables')).default([]),
  /** How long each step of stopping a process may take: its stdin closed, then SIGTERM, then SIGKILL. */
  stopGrace: duration(10).default(2000),
  /** How often idle, old and missing processes are looked for. */
  sweepEvery: duration(10).default(1000),
};
