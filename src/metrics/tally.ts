import { type Announce, type CallEnded, type ProxyEvent, type ServerFacts } from '../events/events.ts';
import { createLatency, type Latency } from './latency.ts';

/** What status shows of one server of one tenant. */
export interface ServerTally {
  readonly calls: number;
  readonly errors: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly lastError: LastError | null;
  /** Attempts at what is not allowed that the server told of; those left out of the log are counted too. */
  readonly securityReports: number;
}
export interface LastError {
  readonly code: string;
  readonly message: string;
  /** On the clock the tally was made with. */
  readonly at: number;
}

export interface Tally {
  readonly listen: Announce;
  of(tenantId: string, server: string): ServerTally;
  /** Since the proxy began, forgotten tenants included. */
  totals(): { readonly calls: number; readonly errors: number; readonly securityReports: number };
  /** For tenants that are gone: nothing else bounds what is kept. */
  forget(tenantId: string): void;
}

interface Entry {
  calls: number;
  errors: number;
  readonly latency: Latency;
  lastError: LastError | null;
  securityReports: number;
}

const empty: ServerTally = {
  calls: 0,
  errors: 0,
  p50Ms: null,
  p95Ms: null,
  lastError: null,
  securityReports: 0,
};

type SecurityReported = Extract<ProxyEvent, { readonly type: 'security.reported' }>;

/** What a call's end says about the server that no `worker.` or `breaker.` event says better. */
const tellsOfServer: ReadonlySet<CallEnded['outcome']> = new Set([
  'TIMED_OUT',
  'BAD_REPLY',
  'INTERNAL_ERROR',
]);
/** Ends that are nobody's failure. */
const fine: ReadonlySet<CallEnded['outcome']> = new Set(['ok', 'CANCELLED']);

/** As long as the last words of a server may be in the log. */
const maxErrorChars = 2048;

/** Counts what events tell, per tenant and server. */
export function createTally(now: () => number = () => performance.now()): Tally {
  const tenants = new Map<string, Map<string, Entry>>();
  const totals = { calls: 0, errors: 0, securityReports: 0 };

  const entryOf = (tenantId: string, server: string): Entry => {
    let servers = tenants.get(tenantId);
    if (servers === undefined) tenants.set(tenantId, (servers = new Map<string, Entry>()));
    let entry = servers.get(server);
    if (entry === undefined) servers.set(server, (entry = createEntry()));
    return entry;
  };

  const countCall = (event: CallEnded): void => {
    const entry = entryOf(event.tenantId, event.server);
    entry.calls += 1;
    totals.calls += 1;
    entry.latency.record(event.tookMs);
    if (fine.has(event.outcome)) return;
    entry.errors += 1;
    totals.errors += 1;
  };

  const countReport = ({ tenantId, server, suppressed }: SecurityReported): void => {
    // Those that were left out before this one were attempts as well.
    entryOf(tenantId, server).securityReports += 1 + suppressed;
    totals.securityReports += 1 + suppressed;
  };

  return {
    listen(event) {
      if (event.type === 'call.ended') countCall(event);
      if (event.type === 'security.reported') countReport(event);
      const failure = failureIn(event);
      if (failure === undefined) return;
      const { tenantId, server, code, message } = failure;
      entryOf(tenantId, server).lastError = { code, message: message.slice(0, maxErrorChars), at: now() };
    },
    of(tenantId, server) {
      const entry = tenants.get(tenantId)?.get(server);
      if (entry === undefined) return empty;
      const { latency, ...counts } = entry;
      return { ...counts, p50Ms: latency.percentile(0.5), p95Ms: latency.percentile(0.95) };
    },
    totals: () => ({ ...totals }),
    forget(tenantId) {
      tenants.delete(tenantId);
    },
  };
}

function createEntry(): Entry {
  return { calls: 0, errors: 0, latency: createLatency(), lastError: null, securityReports: 0 };
}

interface Failure extends ServerFacts {
  readonly code: string;
  readonly message: string;
}

function failureIn(event: ProxyEvent): Failure | undefined {
  if (event.type === 'call.ended') {
    return tellsOfServer.has(event.outcome) ? failure(event, event.outcome, event.method) : undefined;
  }
  if (event.type === 'worker.failed' || event.type === 'breaker.opened') {
    return failure(event, 'UNAVAILABLE', event.reason);
  }
  // Reaped, replaced and stopped workers end too; only an end that took calls with it is a failure.
  if (event.type === 'worker.exited' && event.cutCalls > 0) return failure(event, 'CRASHED', event.reason);
  return undefined;
}

function failure({ tenantId, server }: ServerFacts, code: string, message: string): Failure {
  return { tenantId, server, code, message };
}
