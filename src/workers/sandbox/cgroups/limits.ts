/** What of a server's the kernel is asked to hold, in its own words. */
export const controllers = ['memory', 'pids', 'cpu'] as const;
/** With v1, processor time is counted by a controller of its own; with v2, by `cpu`. */
export const counting = 'cpuacct';
export type Controller = (typeof controllers)[number] | typeof counting;
export type Version = 1 | 2;

/** What all processes of one worker may take together. */
export interface WholeLimits {
  /** Bytes, swap and what lies in its `/tmp` in memory included. */
  readonly memory: number;
  /** Processes and threads. */
  readonly processes: number;
  /** Processors it may keep busy; undefined: all there are, in turn with the other tenants. */
  readonly cpus?: number | undefined;
}

/** One file of a cgroup's and what goes into it. An optional one is not there on every kernel. */
interface Setting {
  readonly file: string;
  readonly value: string;
  readonly isOptional?: boolean;
}

/** Over which processor time is counted, in microseconds: the kernel's own default. */
const periodUs = 100_000;
const quotaOf = (cpus: number): string => String(Math.round(cpus * periodUs));

/** Tenants share the processors evenly, whatever they run, because nothing is set for it: equal weights are the kernel's default. */
const table: Record<(typeof controllers)[number], Record<Version, (limits: WholeLimits) => Setting[]>> = {
  memory: {
    1: ({ memory }) => [
      { file: 'memory.limit_in_bytes', value: String(memory) },
      { file: 'memory.memsw.limit_in_bytes', value: String(memory), isOptional: true },
    ],
    2: ({ memory }) => [
      { file: 'memory.max', value: String(memory) },
      { file: 'memory.swap.max', value: '0', isOptional: true },
      // One process of a server that is gone is worse than a server that is gone: it would hang.
      { file: 'memory.oom.group', value: '1', isOptional: true },
    ],
  },
  pids: {
    1: ({ processes }) => [{ file: 'pids.max', value: String(processes) }],
    2: ({ processes }) => [{ file: 'pids.max', value: String(processes) }],
  },
  cpu: {
    1: ({ cpus }) => (cpus === undefined ? [] : [{ file: 'cpu.cfs_quota_us', value: quotaOf(cpus) }]),
    2: ({ cpus }) => (cpus === undefined ? [] : [{ file: 'cpu.max', value: `${quotaOf(cpus)} ${periodUs}` }]),
  },
};

/** What to write into a cgroup so that it holds these limits. */
export function settingsFor(version: Version, held: readonly Controller[], limits: WholeLimits): Setting[] {
  return held.flatMap((each) => (each === counting ? [] : table[each][version](limits)));
}
