import type { Tier } from './isolation.ts';

/** What the intruder tries. */
export type Attempt =
  | 'other-environment'
  | 'any-environment'
  | 'other-memory'
  | 'other-signal'
  | 'other-home'
  | 'proxy-signal'
  | 'tenants-read'
  | 'tenants-write'
  | 'state-read'
  | 'admin-socket'
  | 'programs-write'
  | 'system-write'
  | 'become-root'
  | 'shared-tmp'
  | 'loopback'
  | 'core-dump'
  | 'open-files'
  | 'memory'
  | 'processes'
  | 'daemon'
  | 'scrubbed-daemon';

/** What came of one. */
export interface Outcome {
  readonly reached: boolean;
  readonly detail: string;
}

/** Where the intruder looks. */
export interface Targets {
  readonly victimPid: number;
  /** In ticks since the machine began: with the number, it is that process and no other. */
  readonly victimStart: string;
  readonly victimCanary: string;
  readonly victimHome: string;
  readonly proxyPid: number;
  readonly proxyStart: string;
  readonly tenants: string;
  readonly state: string;
  readonly adminSocket: string;
  readonly program: string;
  readonly port: number;
  /** In the names of files and processes it leaves for the check to find. */
  readonly token: string;
}

interface Promised {
  /** What is tried, for the table. */
  readonly what: string;
  /** The walls that must refuse it. */
  readonly by: readonly Tier[];
}

const everyTier: readonly Tier[] = ['bubblewrap', 'uid per tenant', 'process only'];
const everyWall: readonly Tier[] = ['bubblewrap', 'uid per tenant'];
const sandbox: readonly Tier[] = ['bubblewrap'];

/** What each wall promises to refuse. Whatever is not promised may be reached, and is told as it is. */
export const promises: Readonly<Record<Attempt, Promised>> = {
  'other-environment': { what: "read another tenant's environment in /proc", by: everyWall },
  'any-environment': { what: 'look through /proc for secrets of others', by: everyWall },
  'other-memory': { what: "open another tenant's memory", by: everyWall },
  'other-signal': { what: "signal another tenant's process", by: everyWall },
  'other-home': { what: "read a file in another tenant's home", by: everyWall },
  'proxy-signal': { what: 'signal the proxy', by: everyWall },
  'tenants-read': { what: 'read the tenants folder', by: everyWall },
  'tenants-write': { what: 'write a file into the tenants folder', by: everyWall },
  'state-read': { what: 'read the state folder', by: everyWall },
  'admin-socket': { what: "connect to the operator's socket", by: everyWall },
  'programs-write': { what: 'write beside the programs it runs', by: everyWall },
  'system-write': { what: 'write where the system has its files', by: everyWall },
  'become-root': { what: 'hold or gain privileges', by: everyWall },
  'shared-tmp': { what: 'leave a file in the /tmp of others', by: sandbox },
  loopback: { what: 'reach a service on 127.0.0.1', by: [] },
  'core-dump': { what: 'dump its memory into a file', by: everyTier },
  'open-files': { what: 'open files without end', by: everyTier },
  memory: { what: 'take memory without end', by: everyTier },
  processes: { what: 'fork without end', by: everyWall },
  daemon: { what: 'outlive its worker as a daemon', by: everyTier },
  'scrubbed-daemon': { what: 'outlive its worker as a daemon without its mark', by: everyWall },
};
export const attempts = Object.keys(promises) as Attempt[];
