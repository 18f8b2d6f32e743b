import { counted, plainText } from '../text/plain-text.ts';
import { type Status, type TenantState, type TenantStatus, type WorkerStatus } from '../admin/status.ts';
import { age, latency, memory } from './format.ts';
import { problemLines } from './problems.ts';
import { paint, table, type Cell, type Colour, type Column, type TableOptions } from './table.ts';

const columns: readonly Column[] = [
  { title: 'TENANT' },
  { title: 'STATE' },
  { title: 'SERVER' },
  { title: 'WORKERS', align: 'right' },
  { title: 'IN FLIGHT', align: 'right' },
  { title: 'QUEUED', align: 'right' },
  { title: 'SESSIONS', align: 'right' },
  { title: 'CALLS', align: 'right' },
  { title: 'ERRORS', align: 'right' },
  { title: 'P50/P95', align: 'right' },
  { title: 'MEMORY', align: 'right' },
  { title: 'IDLE', align: 'right' },
  { title: 'LAST ERROR' },
];

const stateColours: Readonly<Record<TenantState, Colour>> = {
  idle: 'dim',
  starting: 'cyan',
  ready: 'green',
  backoff: 'yellow',
  broken: 'red',
  draining: 'yellow',
  disabled: 'dim',
  paused: 'yellow',
};

/** More rows than this nobody reads. */
const maxRows = 50;
/** In the line about security reports. */
const maxReporting = 10;

/** The whole answer of `proxy status`: a line about the proxy, the tenants, what is wrong, the totals. */
export function statusView(status: Status, options: TableOptions): string {
  const parts = [headLine(status, options), tenantTable(status.tenants, options)];
  if (status.problems.length > 0) {
    const title = paint(`${counted(status.problems.length, 'problem')}:`, 'yellow', options.colours);
    parts.push(`${title}\n${problemLines(status.problems)}`);
  }
  parts.push(`${reportsLine(status.tenants, options)}${totalsLine(status)}`);
  return parts.join('\n');
}

function headLine(status: Status, { colours }: TableOptions): string {
  const { version, state, url, uptimeMs, isolation, isolationReason, cgroups, cgroupsReason } = status;
  const shown = paint(state, state === 'ready' ? 'green' : 'yellow', colours);
  const line = `proxy ${version} is ${shown} at ${url}, up ${age(uptimeMs)}, isolation: ${isolation}\n`;
  const wall = isolationReason === null ? [] : [`no stronger wall: ${isolationReason}`];
  const missing =
    cgroupsReason === null ? [] : [`${cgroups === null ? 'no' : 'not all'} cgroups: ${cgroupsReason}`];
  const advice = [...wall, ...missing].map((each) => `${paint(plainText(each), 'yellow', colours)}\n`);
  const held = cgroups === null ? '' : `whole servers are held by cgroups ${cgroups}\n`;
  return [line, held, ...advice].join('');
}

function tenantTable(tenants: readonly TenantStatus[], options: TableOptions): string {
  if (tenants.length === 0) return 'No tenants yet: put a tenants/<id>.yaml into the tenants folder.\n';
  const shown = tenants.length <= maxRows ? tenants : tenants.filter(hasNews).slice(0, maxRows);
  const hidden = tenants.length - shown.length;
  const rest = hidden > 0 ? `… and ${hidden} more; name one to see it, or take --json\n` : '';
  return table(columns, shown.map(rowOf), options) + rest;
}

/** Of many tenants those are shown that do something, or that something is wrong with. */
function hasNews({ state, workers, sessions, lastError, securityReports }: TenantStatus): boolean {
  if (workers.length > 0 || sessions > 0 || lastError !== null || securityReports > 0) return true;
  return !['idle', 'disabled'].includes(state);
}

function rowOf(tenant: TenantStatus): Cell[] {
  const numbers = [tenant.inFlight, tenant.queued, tenant.sessions, tenant.calls];
  return [
    { text: tenant.id, colour: 'bold' },
    { text: stateText(tenant), colour: stateColours[tenant.state] },
    { text: tenant.server },
    { text: `${tenant.workers.length}/${tenant.maxWorkers}` },
    ...numbers.map((count): Cell => ({ text: String(count), colour: count === 0 ? 'dim' : undefined })),
    { text: String(tenant.errors), colour: tenant.errors > 0 ? 'red' : 'dim' },
    { text: tenant.p50Ms === null ? '-' : `${latency(tenant.p50Ms)}/${latency(tenant.p95Ms)}` },
    { text: memory(memoryOf(tenant.workers)) },
    { text: idleFor(tenant.workers) },
    { text: lastErrorText(tenant), colour: 'red' },
  ];
}

function stateText({ state, retryInMs }: TenantStatus): string {
  return retryInMs === null ? state : `${state} ${age(retryInMs)}`;
}

/** A sum that leaves a worker out would be a lie, so it is told only where every worker's is known. */
function memoryOf(workers: readonly WorkerStatus[]): number | null {
  let sum = 0;
  for (const { rssBytes } of workers) {
    if (rssBytes === null) return null;
    sum += rssBytes;
  }
  return workers.length > 0 ? sum : null;
}

/** How long the whole pool has done nothing: the shortest of its workers' times. */
function idleFor(workers: readonly WorkerStatus[]): string {
  if (workers.length === 0 || workers.some(({ inFlight }) => inFlight > 0)) return '-';
  return age(Math.min(...workers.map(({ idleMs }) => idleMs)));
}

function lastErrorText({ lastError }: TenantStatus): string {
  if (lastError === null) return '';
  return `${age(lastError.agoMs)} ago ${lastError.code}: ${lastError.message}`;
}

/** Seldom, and then what an operator must not miss; so a line of its own, and no column of zeros. */
function reportsLine(tenants: readonly TenantStatus[], { colours }: TableOptions): string {
  const reporting = tenants
    .filter(({ securityReports }) => securityReports > 0)
    .toSorted((one, other) => other.securityReports - one.securityReports);
  if (reporting.length === 0) return '';
  const shown = reporting
    .slice(0, maxReporting)
    .map(({ id, server, securityReports }) => `${id}/${server} ${securityReports}`);
  const hidden = reporting.length - shown.length;
  const rest = hidden > 0 ? `, and ${hidden} more` : '';
  const title = paint('security reports:', 'red', colours);
  return `${title} ${shown.join(', ')}${rest} (security.reported in the log)\n`;
}

function totalsLine({ totals, rssBytes }: Status): string {
  return `${[
    counted(totals.tenants, 'tenant'),
    `${totals.workers}/${totals.maxWorkers} workers`,
    counted(totals.sessions, 'session'),
    `${totals.inFlight} in flight`,
    counted(totals.calls, 'call'),
    counted(totals.errors, 'error'),
    `${(totals.reuseRatio * 100).toFixed(1)}% reuse`,
    `proxy memory ${memory(rssBytes)}`,
  ].join(' · ')}\n`;
}
