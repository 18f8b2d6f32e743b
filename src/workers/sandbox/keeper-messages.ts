import type { Unreached } from './egress/egress-messages.ts';
import type { Way } from './egress/ways.ts';

/** What the proxy and its keeper say to one another. Both are the same version, and nobody else is on the line. */

import type { Room } from './cgroups/cells.ts';

/** Start a process. It holds at its gate until the proxy has its pipes. */
export interface LaunchOrder {
  readonly type: 'launch';
  readonly id: number;
  /** Absolute. */
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment, with the tenant's secrets and the mark. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Run as this user and group, where the proxy may choose. */
  readonly uid?: number;
  /** The file of a filter of system calls, which it finds open: as descriptor 5, with `ways` as 6. */
  readonly filter?: string;
  /** It is in a room of its own, and these lead out of it. */
  readonly ways?: readonly Way[];
  /** The process is bubblewrap, and the server is inside. */
  readonly isWrapped: boolean;
  /** What all its processes may take together; undefined: that is not asked for. */
  readonly room?: Room;
}

/** A signal for the server's process and all in its group. SIGKILL ends the sandbox around it too. */
export interface SignalOrder {
  readonly type: 'signal';
  readonly id: number;
  readonly signal: NodeJS.Signals;
}

export type ToKeeper = LaunchOrder | SignalOrder;

export type FromKeeper =
  /** With the handle of one of its pipes. */
  | { readonly type: 'stdin' | 'stdout' | 'stderr'; readonly id: number }
  /** `pid` is the server's own process, `group` the group it is in; the gate is open now. */
  | { readonly type: 'started'; readonly id: number; readonly pid: number; readonly group: number }
  /** Why its cgroup does not hold it. */
  | { readonly type: 'unheld'; readonly id: number; readonly reason: string }
  /** It keeps a processor busy, and gives way to all others. */
  | { readonly type: 'yields'; readonly id: number }
  /** It never came to its gate. `cause` is a system error, or SANDBOX with the sandbox's own words. */
  | { readonly type: 'failed'; readonly id: number; readonly cause: string; readonly words: string }
  | ({ readonly type: 'unreached'; readonly id: number } & Unreached)
  | {
      readonly type: 'exit';
      readonly id: number;
      readonly exitCode: number | undefined;
      readonly signal: string | undefined;
    };
