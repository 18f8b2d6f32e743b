import type { ErrorCode } from '../calls/error.ts';

/** Everything the proxy announces. Logs, metrics and status only listen; nothing on the path calls them. */
export type ProxyEvent =
  | CallEnded
  | {
      readonly type: 'proxy.listening';
      readonly url: string;
      readonly tenants: number;
      /** The wall around child processes. */
      readonly isolation: string;
      /** Why it is no stronger one, and what to do. */
      readonly isolationReason: string | undefined;
      /** The cgroups that hold whole servers, and why there are none, or not all. */
      readonly cgroups: string | undefined;
      readonly cgroupsReason: string | undefined;
      /** `workers.max`. */
      readonly poolSize: number;
      /** `sessions.idle`, in milliseconds. */
      readonly sessionTimeout: number;
    }
  | { readonly type: 'proxy.draining'; readonly reason: string; readonly inFlight: number }
  | { readonly type: 'proxy.failed'; readonly requestId: string; readonly reason: string }
  | { readonly type: 'proxy.stopped'; readonly cutCalls: number }
  | { readonly type: 'proxy.crashed'; readonly stack: string }
  | (WorkerFacts & { readonly type: 'worker.started'; readonly startMs: number })
  | (WorkerFacts & { readonly type: 'worker.spawned' })
  | (WorkerFacts & {
      readonly type: 'worker.exited';
      readonly reason: string;
      readonly exitCode: number | undefined;
      readonly signal: string | undefined;
      readonly calls: number;
      readonly ageMs: number;
      /** Calls that were in flight and got CRASHED. */
      readonly cutCalls: number;
    })
  | (WorkerFacts & { readonly type: 'worker.failed'; readonly reason: string; readonly stderrTail: string })
  | (WorkerFacts & { readonly type: 'worker.misbehaved'; readonly reason: string })
  | (WorkerFacts & {
      readonly type: 'security.reported';
      /** `FORBIDDEN` and the like: the server's own word. */
      readonly code: string;
      readonly message: string;
      /** What was asked for. */
      readonly subject: string | undefined;
      /** Reports of this worker that were left out before this one. */
      readonly suppressed: number;
    })
  | (ServerFacts & { readonly type: 'breaker.opened'; readonly forMs: number; readonly reason: string })
  | (ServerFacts & { readonly type: 'breaker.closed' })
  | (ServerFacts & { readonly type: 'server.probed'; readonly era: 'legacy' | 'modern' })
  | (ServerFacts & { readonly type: 'generation.swapped'; readonly generation: string })
  | (ServerFacts & {
      readonly type: 'generation.failed';
      readonly generation: string;
      readonly reason: string;
    })
  | (ServerFacts & {
      readonly type: 'egress.failed';
      /** On its allow-list. */
      readonly host: string;
      readonly port: number;
      readonly reason: string;
      /** Connections to the same that failed, and were not told of, since the last one. */
      readonly suppressed: number;
    })
  | { readonly type: 'orphans.ended'; readonly count: number }
  | { readonly type: 'keeper.lost' }
  | (ServerFacts & { readonly type: 'cgroup.failed'; readonly reason: string })
  | (ServerFacts & { readonly type: 'worker.yields' })
  | (ServerFacts & {
      readonly type: 'question.abandoned';
      readonly keyName: string;
      readonly requestId: string;
      readonly waitedMs: number;
    })
  | { readonly type: 'strain.began'; readonly of: 'loop' | 'memory' }
  | { readonly type: 'strain.over' }
  | { readonly type: 'workers.reaped'; readonly count: number }
  | (SessionFacts & {
      readonly type: 'session.opened';
      readonly client: string;
      readonly protocolVersion: string;
    })
  | (SessionFacts & { readonly type: 'session.closed'; readonly reason: string; readonly calls: number })
  | { readonly type: 'auth.refused'; readonly remote: string }
  | { readonly type: 'auth.limited'; readonly remote: string }
  | {
      readonly type: 'tenants.reloaded';
      readonly added: number;
      readonly changed: number;
      readonly removed: number;
      readonly tenants: number;
      readonly problems: number;
      readonly tookMs: number;
    }
  | {
      readonly type: 'tenant.problem';
      readonly file: string;
      readonly line: number;
      readonly column: number;
      readonly code: string;
      readonly message: string;
    }
  | {
      /** It is in force all the same. */
      readonly type: 'tenant.warning';
      readonly file: string;
      readonly line: number;
      readonly column: number;
      readonly code: string;
      readonly message: string;
    };

export interface CallEnded {
  readonly type: 'call.ended';
  /** `ok`: the server answered, with a result; `error`: it answered with an error of its own. */
  readonly outcome: 'ok' | 'error' | ErrorCode;
  readonly tookMs: number;
  readonly method: string;
  readonly tenantId: string;
  readonly keyName: string;
  readonly server: string;
  readonly requestId: string;
}

export interface ServerFacts {
  readonly tenantId: string;
  readonly server: string;
}
export interface WorkerFacts extends ServerFacts {
  readonly generation: string;
  readonly pid: number;
}
export interface SessionFacts extends ServerFacts {
  readonly keyName: string;
}

export type Announce = (event: ProxyEvent) => void;
