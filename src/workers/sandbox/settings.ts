import { z } from 'zod';
import { bytes } from '../../yaml/bytes.ts';
import { network } from './egress/destination.ts';

/**
 * `workers.isolation`. `auto`: the strongest wall that works here. `required`: as `auto`, and no start without a wall.
 * `none`: processes only, also where more would work.
 */
export const isolationModes = ['auto', 'required', 'none'] as const;
export type IsolationMode = (typeof isolationModes)[number];

/** `workers.cgroups`: `auto`: where they can be written. `none`: never. */
export const cgroupsModes = ['auto', 'none'] as const;
export type CgroupsMode = (typeof cgroupsModes)[number];

const atLeastMemory = 64 * 1024 ** 2;
const processes = z.int().min(8).max(100_000);
const files = z.int().min(32).max(1_000_000);
const cpus = z.number().min(0.05).max(4096).optional();

/** `workers.limits`: what one server may take, where its own `sandbox` does not say otherwise. */
export const limitsShape = {
  /** Memory of each of its processes that is its own to write; with cgroups, of all of them together too. */
  memory: bytes(atLeastMemory).default(4 * 1024 ** 3),
  /** Processes and threads together, of one sandbox or one tenant's user. */
  processes: processes.default(512),
  /** Open files of each of its processes. */
  files: files.default(4096),
  /** With cgroups: processors that one of its workers may keep busy; left out: all, in turn with other tenants. */
  cpus,
};

/** `sandbox:` of a server: what it gets beyond, or less than, every other. */
export const sandboxShape = {
  network: network().default('shared'),
  /** Files and folders it may read, beside its own folder and what its command line names. */
  read: z.array(z.string().min(1)).default([]),
  /** … and write. */
  write: z.array(z.string().min(1)).default([]),
  memory: bytes(atLeastMemory).optional(),
  processes: processes.optional(),
  files: files.optional(),
  cpus,
};
export const sandboxSettings = z.strictObject(sandboxShape);

/** With absolute paths. */
export type SandboxSettings = z.output<typeof sandboxSettings>;
