import { expect, test } from 'vitest';
import { type Status, type TenantStatus, type WorkerStatus } from '../../../src/admin/status.ts';
import { statusView } from '../../../src/cli/status-view.ts';

const worker: WorkerStatus = {
  pid: 42,
  state: 'idle',
  generation: '0123abcd',
  ageMs: 90_000,
  idleMs: 30_000,
  inFlight: 0,
  calls: 12,
  sessions: 1,
  rssBytes: 50 * 1024 ** 2,
};
const acme: TenantStatus = {
  id: 'acme',
  state: 'ready',
  server: 'default',
  generation: '0123abcd',
  maxWorkers: 5,
  workers: [worker, { ...worker, pid: 43, idleMs: 5_000 }],
  sessions: 2,
  inFlight: 0,
  queued: 0,
  calls: 1234,
  errors: 0,
  p50Ms: 1.26,
  p95Ms: 18.4,
  lastError: null,
  securityReports: 0,
  retryInMs: null,
};
const globex: TenantStatus = {
  ...acme,
  id: 'globex',
  state: 'broken',
  workers: [],
  errors: 3,
  p50Ms: null,
  p95Ms: null,
  retryInMs: 12_000,
  lastError: { code: 'UNAVAILABLE', message: 'exit 1: no\u001b[2J module', agoMs: 4_000 },
};
const status: Status = {
  version: '0.1.0',
  uptimeMs: 3_700_000,
  state: 'ready',
  url: 'http://127.0.0.1:8080/mcp',
  isolation: 'bubblewrap',
  isolationReason: null,
  cgroups: 'v2: memory, pids, cpu',
  cgroupsReason: null,
  rssBytes: 80 * 1024 ** 2,
  totals: {
    tenants: 2,
    workers: 2,
    maxWorkers: 200,
    sessions: 2,
    inFlight: 0,
    calls: 1234,
    errors: 3,
    securityReports: 0,
    totalAcquired: 1000,
    totalCreated: 20,
    currentPoolSize: 2,
    activeTenants: 1,
    reuseRatio: 0.98,
  },
  tenants: [acme, globex],
  problems: [],
};

test('everything an operator asks first is on one screen', () => {
  expect(statusView(status, { colours: false })).toBe(
    [
      'proxy 0.1.0 is ready at http://127.0.0.1:8080/mcp, up 62m, isolation: bubblewrap',
      'whole servers are held by cgroups v2: memory, pids, cpu',
      '',
      'TENANT  STATE       SERVER   WORKERS  IN FLIGHT  QUEUED  SESSIONS  CALLS  ERRORS     P50/P95  MEMORY  IDLE  LAST ERROR',
      'acme    ready       default      2/5          0       0         2   1234       0  1.3ms/18ms  100MiB  5.0s',
      'globex  broken 12s  default      0/5          0       0         2   1234       3           -       -     -  4.0s ago UNAVAILABLE: exit 1: no [2J module',
      '',
      '2 tenants · 2/200 workers · 2 sessions · 0 in flight · 1234 calls · 3 errors · 98.0% reuse · proxy memory 80MiB',
      '',
    ].join('\n'),
  );
});

test('problems stand under the table, as compilers print them', () => {
  const problems = [
    {
      file: 'tenants/a.yaml',
      line: 3,
      column: 7,
      code: 'INVALID_SETTING',
      message: 'unknown key `pol`',
    } as const,
    { file: 'tenants', line: 0, column: 0, code: 'UNREADABLE', message: 'no permission' } as const,
  ];
  const view = statusView({ ...status, problems }, { colours: false });
  expect(view).toContain(
    '2 problems:\ntenants/a.yaml:3:7 INVALID_SETTING unknown key `pol`\ntenants UNREADABLE no permission\n',
  );
});

test('attempts that servers report have a line of their own, the most first', () => {
  const tenants = [
    { ...acme, securityReports: 2 },
    { ...globex, securityReports: 7 },
  ];
  expect(statusView({ ...status, tenants }, { colours: false })).toMatch(
    /\n\nsecurity reports: globex\/default 7, acme\/default 2 \(security\.reported in the log\)\n2 tenants/,
  );
  expect(statusView(status, { colours: false })).not.toContain('security reports');
});

test('a tenant that does nothing and had an attempt is not among those left out', () => {
  const idle = { ...acme, state: 'idle', workers: [], sessions: 0 } as const;
  const quiet = Array.from({ length: 60 }, (_, index) => ({ ...idle, id: `quiet-${index}` }));
  const view = statusView(
    { ...status, tenants: [...quiet, { ...idle, id: 'globex', securityReports: 1 }] },
    { colours: false },
  );
  expect(view).toMatch(/^globex /m);
});

test('no tenants is said, with what to do', () => {
  expect(statusView({ ...status, tenants: [] }, { colours: false })).toContain(
    'No tenants yet: put a tenants/<id>.yaml',
  );
});

test('memory that is not known for every worker is not summed', () => {
  const tenants = [{ ...acme, workers: [worker, { ...worker, rssBytes: null }] }];
  expect(statusView({ ...status, tenants }, { colours: false })).not.toContain('50MiB');
});

test('of very many tenants those are shown that there is something to say of', () => {
  const quiet = Array.from({ length: 9_998 }, (_, index): TenantStatus => ({
    ...acme,
    id: `quiet-${index}`,
    state: 'idle',
    workers: [],
    sessions: 0,
  }));
  const view = statusView({ ...status, tenants: [...quiet, acme, globex] }, { colours: false });
  expect(view).toMatch(/^acme /m);
  expect(view).toMatch(/^globex /m);
  expect(view).not.toMatch(/^quiet-/m);
  expect(view).toContain('… and 9998 more; name one to see it, or take --json');
});
