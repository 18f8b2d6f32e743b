import { counted } from '../text/plain-text.ts';
import { type Announce, type ProxyEvent, type ServerFacts } from '../events/events.ts';
import { type LogFields, type Logger } from './logger.ts';
import { createRunningWorkers, type RunningWorkers } from './running-workers.ts';

interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
}
type Lines = { [T in ProxyEvent['type']]: (event: Extract<ProxyEvent, { type: T }>) => Line };

/** Hears events and writes one line per state change; calls only at `debug`. Never called by anything else. */
export function logEvents(logger: Logger): Announce {
  const running = createRunningWorkers();
  const lines = linesFor(running);
  const callsToo = logger.isOn('debug');
  const isRefusalTold = createThinning();
  const isLimitTold = createThinning();
  return (event) => {
    // The busiest event by far: decided before anything is made of it.
    if (event.type === 'call.ended' && !callsToo) return;
    if (event.type === 'auth.refused' && !isRefusalTold(event.remote)) return;
    if (event.type === 'auth.limited' && !isLimitTold(event.remote)) return;
    const { level, message } = (lines[event.type] as (event: ProxyEvent) => Line)(event);
    running.hear(event);
    logger.write(level, message, fieldsOf(event));
  };
}

/** How often the same stranger is told of, in milliseconds: whoever guesses keys must not write our log. */
const strangerEveryMs = 10_000;
/** More strangers than this at once are told of together, by the first of them. */
const maxStrangers = 1000;

function createThinning(): (remote: string) => boolean {
  const toldAt = new Map<string, number>();
  return (remote) => {
    const now = performance.now();
    if (now - (toldAt.get(remote) ?? Number.NEGATIVE_INFINITY) < strangerEveryMs) return false;
    if (toldAt.size >= maxStrangers) {
      for (const [known, at] of toldAt) if (now - at >= strangerEveryMs) toldAt.delete(known);
      if (toldAt.size >= maxStrangers) return false;
    }
    toldAt.set(remote, now);
    return true;
  };
}

const renamed: Readonly<Record<string, string>> = {
  type: 'event',
  tenantId: 'tenant',
  keyName: 'key',
  message: 'problem',
};

function fieldsOf(event: ProxyEvent): LogFields {
  const fields: Record<string, string | number | undefined> = {};
  for (const [name, value] of Object.entries(event) as [string, string | number | undefined][]) {
    fields[renamed[name] ?? name] = value;
  }
  return fields;
}

const debug = (message: string): Line => ({ level: 'debug', message });
const info = (message: string): Line => ({ level: 'info', message });
const warn = (message: string): Line => ({ level: 'warn', message });
const error = (message: string): Line => ({ level: 'error', message });
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** `acme`, or `acme/files` where the server has a name of its own. */
const place = ({ tenantId, server }: ServerFacts): string =>
  server === 'default' ? tenantId : `${tenantId}/${server}`;

/** Line 0: the file as a whole is meant. */
const placeIn = ({ file, line, column }: { file: string; line: number; column: number }): string =>
  line > 0 ? `${file}:${line}:${column}` : file;

function linesFor(running: RunningWorkers): Lines {
  return {
    ...proxyLines,
    ...workerLines,
    'session.opened': (event) =>
      debug(
        running.has(event)
          ? `Using running worker for tenant: ${place(event)}`
          : `Session opened for tenant: ${place(event)}`,
      ),
    'session.closed': (event) => debug(`Session closed for tenant: ${place(event)} (${event.reason})`),
    'call.ended': (event) => debug(`${event.method} for tenant ${place(event)}: ${event.outcome}`),
  };
}

const proxyLines = {
  'proxy.listening': (event) => {
    const why = (reason: string | undefined) => (reason === undefined ? '' : ` (${reason})`);
    const wall = `isolation: ${event.isolation}${why(event.isolationReason)}`;
    const cgroups = `cgroups: ${event.cgroups ?? 'none'}${why(event.cgroupsReason)}`;
    const isOpen = event.isolation === 'process only' && event.isolationReason !== undefined;
    return (isOpen ? warn : info)(`Multi-tenant proxy listening on ${event.url}; ${wall}; ${cgroups}`);
  },
  'proxy.draining': (event) =>
    info(`Draining (${event.reason}): ${counted(event.inFlight, 'call')} in flight`),
  'proxy.failed': (event) => error(`A request found a fault of the proxy's own: ${event.reason}`),
  'proxy.stopped': (event) =>
    event.cutCalls > 0 ? warn(`Stopped; ${counted(event.cutCalls, 'call')} cut short`) : info('Stopped'),
  'proxy.crashed': () => error('The proxy itself failed, and ends; please report it with this line'),
  'auth.refused': (event) => warn(`Refused a caller without a valid key: ${event.remote}`),
  'auth.limited': (event) => warn(`Too many tries without a valid key, told to wait: ${event.remote}`),
  'tenants.reloaded': (event) =>
    info(
      `Tenants loaded: ${event.tenants} (${event.added} added, ${event.changed} changed, ${event.removed} removed)`,
    ),
  'tenant.problem': (event) => warn(`${placeIn(event)} ${event.code} ${event.message}`),
  'tenant.warning': (event) => warn(`${placeIn(event)} warning ${event.code} ${event.message}`),
} satisfies Partial<Lines>;

const workerLines = {
  'worker.spawned': (event) => info(`Creating new worker for tenant: ${place(event)}`),
  'worker.started': (event) =>
    info(`Worker is ready for tenant: ${place(event)} after ${seconds(event.startMs)}`),
  'worker.exited': (event) =>
    event.cutCalls > 0
      ? warn(
          `Worker of tenant ${place(event)} ended (${event.reason}) with ${counted(event.cutCalls, 'call')} in flight`,
        )
      : info(`Worker of tenant ${place(event)} ended (${event.reason})`),
  'worker.failed': (event) => error(`Worker of tenant ${place(event)} did not start: ${event.reason}`),
  'worker.misbehaved': (event) => warn(`Worker of tenant ${place(event)} misbehaved: ${event.reason}`),
  'security.reported': (event) =>
    warn(`Server of tenant ${place(event)} reports ${event.code}: ${event.message}`),
  'egress.failed': (event) =>
    warn(`Server of tenant ${place(event)} did not reach ${event.host}:${event.port}: ${event.reason}`),
  'orphans.ended': (event) => warn(`Ended ${counted(event.count, 'orphan')} of an earlier run`),
  'keeper.lost': () =>
    error('The keeper, which starts and ends workers, was killed; its workers were ended, a new one starts'),
  'cgroup.failed': (event) =>
    warn(`A worker of tenant ${place(event)} is not held by its cgroup: ${event.reason}`),
  'worker.yields': (event) =>
    info(
      `A worker of tenant ${place(event)} keeps a processor busy; it gives way to all others as long as it does`,
    ),
  'question.abandoned': (event) =>
    info(
      `A client of tenant ${place(event)} left a question unanswered for ${seconds(event.waitedMs)} while others waited; its call was ended`,
    ),
  'strain.began': ({ of }) =>
    warn(
      `The proxy is short of ${of === 'loop' ? 'time' : 'memory'}: of each tenant only one call is let in at once`,
    ),
  'strain.over': () => info('The proxy takes all calls again'),
  'workers.reaped': (event) => info(`Cleaned up ${counted(event.count, 'idle worker')}`),
  'breaker.opened': (event) =>
    error(
      `Server of tenant ${place(event)} keeps failing; next try in ${seconds(event.forMs)}: ${event.reason}`,
    ),
  'breaker.closed': (event) => info(`Server of tenant ${place(event)} works again`),
  'server.probed': (event) => info(`Server of tenant ${place(event)} speaks the ${event.era} era`),
  'generation.swapped': (event) => info(`New settings in force for tenant: ${place(event)}`),
  'generation.failed': (event) =>
    error(`New settings of tenant ${place(event)} do not start, the old ones go on: ${event.reason}`),
} satisfies Partial<Lines>;
