import { expect, test } from 'vitest';
import { type CallEnded } from '../../../src/events/events.ts';
import { createTally } from '../../../src/metrics/tally.ts';

const worker = { tenantId: 'acme', server: 'default', generation: 'aaaaaaaa', pid: 7 };

function ended(outcome: CallEnded['outcome'], tookMs = 3, tenantId = 'acme'): CallEnded {
  return {
    type: 'call.ended',
    outcome,
    tookMs,
    method: 'tools/call',
    tenantId,
    keyName: 'laptop',
    server: 'default',
    requestId: 'r1',
  };
}

test('calls and errors are counted per tenant, and in all', () => {
  const tally = createTally();
  for (const outcome of ['ok', 'ok', 'error', 'TIMED_OUT', 'CANCELLED'] as const)
    tally.listen(ended(outcome));
  tally.listen(ended('ok', 3, 'globex'));
  expect(tally.of('acme', 'default')).toMatchObject({ calls: 5, errors: 2 });
  expect(tally.of('globex', 'default')).toMatchObject({ calls: 1, errors: 0 });
  expect(tally.totals()).toEqual({ calls: 6, errors: 2, securityReports: 0 });
});

test('an unknown tenant has done nothing', () => {
  expect(createTally().of('nobody', 'default')).toEqual({
    calls: 0,
    errors: 0,
    p50Ms: null,
    p95Ms: null,
    lastError: null,
    securityReports: 0,
  });
});

test('a worker that cannot start is the last error, and the refused call does not hide why', () => {
  const tally = createTally(() => 1234);
  tally.listen({ type: 'worker.failed', ...worker, reason: 'ENOENT: no such command', stderrTail: '' });
  tally.listen(ended('UNAVAILABLE'));
  expect(tally.of('acme', 'default').lastError).toEqual({
    code: 'UNAVAILABLE',
    message: 'ENOENT: no such command',
    at: 1234,
  });
});

test('a crash is an error, a reaped worker is none', () => {
  const tally = createTally();
  const exit = {
    type: 'worker.exited',
    ...worker,
    exitCode: 1,
    signal: undefined,
    calls: 3,
    ageMs: 50,
  } as const;
  tally.listen({ ...exit, reason: 'idle', cutCalls: 0 });
  expect(tally.of('acme', 'default').lastError).toBeNull();
  tally.listen({ ...exit, reason: 'exit code 1', cutCalls: 2 });
  expect(tally.of('acme', 'default').lastError).toMatchObject({ code: 'CRASHED', message: 'exit code 1' });
});

test('attempts that a server reports are counted, those left out of the log as well', () => {
  const tally = createTally();
  const report = {
    type: 'security.reported',
    ...worker,
    code: 'FORBIDDEN',
    message: 'The URI is not of this tenant',
    subject: 'mcp://globex/x',
  } as const;
  tally.listen({ ...report, suppressed: 0 });
  tally.listen({ ...report, suppressed: 5 });
  tally.listen({ ...report, tenantId: 'globex', suppressed: 0 });
  expect(tally.of('acme', 'default')).toMatchObject({ securityReports: 7, errors: 0, lastError: null });
  expect(tally.of('globex', 'default').securityReports).toBe(1);
  expect(tally.totals().securityReports).toBe(8);
});

test('a forgotten tenant is gone, the totals stay', () => {
  const tally = createTally();
  tally.listen(ended('ok'));
  tally.forget('acme');
  expect(tally.of('acme', 'default').calls).toBe(0);
  expect(tally.totals().calls).toBe(1);
});
