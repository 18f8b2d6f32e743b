import type { Problem } from '../yaml/problem.ts';

/**
 * The document behind `GET /v1/status` and `proxy status --json`: one type, read by the API, the CLI and tests.
 * Keys are only ever added. Durations in milliseconds, memory in bytes.
 */
export interface Status {
  readonly version: string;
  readonly uptimeMs: number;
  readonly state: 'starting' | 'ready' | 'draining';
  readonly url: string;
  /** The wall around workers that is in force: `bubblewrap`, `uid per tenant` or `process only`. */
  readonly isolation: string;
  /** Why it is no stronger one, and what to do; null if there is none. */
  readonly isolationReason: string | null;
  /** The cgroups that hold the processes of a server together, as `v2: memory, pids, cpu`; null if none do. */
  readonly cgroups: string | null;
  /** Why none do, or not all, and what to do; null if all do. */
  readonly cgroupsReason: string | null;
  /** The proxy's own resident memory. */
  readonly rssBytes: number;
  readonly totals: StatusTotals;
  readonly tenants: readonly TenantStatus[];
  readonly problems: readonly Problem[];
}

export interface StatusTotals {
  readonly tenants: number;
  readonly workers: number;
  readonly maxWorkers: number;
  readonly sessions: number;
  readonly inFlight: number;
  readonly calls: number;
  readonly errors: number;
  /** Since the proxy began; see the tenant's own. */
  readonly securityReports: number;
  /** Calls and sessions that were given a worker. */
  readonly totalAcquired: number;
  /** Workers started since the proxy began. */
  readonly totalCreated: number;
  readonly currentPoolSize: number;
  /** Tenants with at least one worker. */
  readonly activeTenants: number;
  /** 1 - totalCreated / totalAcquired; 0 while nothing was acquired. */
  readonly reuseRatio: number;
}

/** One server of one tenant; a tenant with several servers has several rows. */
export interface TenantStatus {
  readonly id: string;
  readonly state: TenantState;
  readonly server: string;
  readonly generation: string;
  readonly maxWorkers: number;
  readonly workers: readonly WorkerStatus[];
  readonly sessions: number;
  readonly inFlight: number;
  readonly queued: number;
  readonly calls: number;
  readonly errors: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly lastError: { readonly code: string; readonly message: string; readonly agoMs: number } | null;
  /** Attempts at what is not allowed, such as another tenant's data, that its server told of (`security.reported`). */
  readonly securityReports: number;
  /** While `backoff` or `broken`: how long until the next try. */
  readonly retryInMs: number | null;
}

/** `idle`: no worker · `ready`: has workers · `backoff`, `broken`: its server keeps failing · `disabled`: by its file. */
export type TenantState =
  'idle' | 'starting' | 'ready' | 'backoff' | 'broken' | 'draining' | 'disabled' | 'paused';

export interface WorkerStatus {
  readonly pid: number;
  readonly state: 'starting' | 'idle' | 'busy' | 'draining' | 'stopping';
  readonly generation: string;
  readonly ageMs: number;
  readonly idleMs: number;
  readonly inFlight: number;
  readonly calls: number;
  readonly sessions: number;
  /** Of the whole process group; null where the system does not tell. */
  readonly rssBytes: number | null;
}
