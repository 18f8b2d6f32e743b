import { expect, test } from 'vitest';
import { type ProxyEvent } from '../../../src/events/events.ts';
import { createLogger, type LoggerOptions } from '../../../src/logging/logger.ts';
import { logEvents } from '../../../src/logging/observe.ts';

const place = { tenantId: 'acme', server: 'default' };
const worker = { ...place, generation: '0123abcd', pid: 123 };
const session = { ...place, keyName: 'laptop', client: 'claude-code', protocolVersion: '2025-11-25' };
const call: ProxyEvent = {
  type: 'call.ended',
  outcome: 'ok',
  tookMs: 2,
  method: 'tools/call',
  ...place,
  keyName: 'laptop',
  requestId: 'r1',
};

function heard(events: readonly ProxyEvent[], options: LoggerOptions = {}): string[] {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const listen = logEvents(createLogger({ ...options, destination }));
  for (const event of events) listen(event);
  return lines;
}
const asJson = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

test('one JSON line per state change, with the words used everywhere', () => {
  const [line] = asJson(heard([{ type: 'worker.spawned', ...worker }]));
  expect(line).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
    event: 'worker.spawned',
    tenant: 'acme',
    server: 'default',
    generation: '0123abcd',
    pid: 123,
    msg: 'Creating new worker for tenant: acme',
  });
});

test('calls are silent at info and one line each at debug', () => {
  expect(heard([call])).toEqual([]);
  expect(asJson(heard([call], { level: 'debug' }))[0]).toMatchObject({ event: 'call.ended', key: 'laptop' });
});

test('a session on a running worker says so', () => {
  const lines = asJson(
    heard(
      [
        { type: 'session.opened', ...session },
        { type: 'worker.started', ...worker, startMs: 40 },
        { type: 'session.opened', ...session },
      ],
      { level: 'debug' },
    ),
  );
  expect(lines.map(({ msg }) => msg)).toEqual([
    'Session opened for tenant: acme',
    'Worker is ready for tenant: acme after 0.0 s',
    'Using running worker for tenant: acme',
  ]);
});

test('cleaned up workers are counted in words', () => {
  const lines = asJson(heard([1, 3].map((count) => ({ type: 'workers.reaped', count }))));
  expect(lines.map(({ msg }) => msg)).toEqual(['Cleaned up 1 idle worker', 'Cleaned up 3 idle workers']);
});

test('a child cannot forge a line or fill the log', () => {
  const reason = `died\n{"level":"info","event":"fake"}\u001b[2J\u202e${'x'.repeat(100_000)}`;
  const stderrTail = `first${'y'.repeat(10_000)}the last words`;
  const lines = heard([{ type: 'worker.failed', ...worker, reason, stderrTail }]);
  expect(lines).toHaveLength(1);
  const [line] = asJson(lines) as [Record<string, string>];
  expect(line['reason']).toHaveLength(256);
  // eslint-disable-next-line no-control-regex -- that there are none is the point
  expect(lines[0]).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  expect(line['stderrTail']).toHaveLength(2048);
  expect(line['stderrTail']).toMatch(/the last words$/);
});

test('why there is no stronger wall is told in full, and what is cut is cut between words', () => {
  const isolationReason = `bubblewrap does not work here: ${'in a container, run it with --cap-add SYS_ADMIN; '.repeat(8)}end`;
  const [line] = asJson(
    heard([
      {
        ...{ type: 'proxy.listening', url: 'http://127.0.0.1:8080/mcp', tenants: 1, poolSize: 1 },
        ...{ sessionTimeout: 1, isolation: 'process only', isolationReason },
        ...{ cgroups: undefined, cgroupsReason: undefined },
      },
    ]),
  ) as [Record<string, string>];
  expect(line['isolationReason']).toBe(isolationReason);
  const whole = `Multi-tenant proxy listening on http://127.0.0.1:8080/mcp; isolation: process only (${isolationReason})`;
  const shown = line['msg']!.replace(/…$/, '');
  expect(line['msg']).toBe(`${shown}…`);
  expect(shown.length).toBeGreaterThan(220);
  expect(whole.startsWith(`${shown} `)).toBe(true);
});

test('secrets are taken out of every text, before it is cut', () => {
  const secret = 's3cret-'.repeat(20);
  const redact = (text: string) => text.replaceAll(secret, '***');
  const reason = `${'a'.repeat(200)}${secret}`;
  const [line] = heard([{ type: 'worker.misbehaved', ...worker, reason }], { redact });
  expect(line).not.toContain('s3cret');
  expect(line).toContain('***');
});

test('the text format is one line for people', () => {
  const [line] = heard([{ type: 'worker.misbehaved', ...worker, reason: 'not JSON' }], { format: 'text' });
  expect(line).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} WARN {2}Worker of tenant acme misbehaved: not JSON {2}tenant=acme server=default generation=0123abcd pid=123 reason="not JSON"\n$/,
  );
});

test('a problem of a whole file has no line', () => {
  const [line] = asJson(
    heard([
      {
        type: 'tenant.problem',
        file: 'a.yaml',
        line: 0,
        column: 0,
        code: 'TOO_BIG',
        message: 'It is larger',
      },
    ]),
  );
  expect(line).toMatchObject({ msg: 'a.yaml TOO_BIG It is larger', line: 0 });
});

test('problems keep their place and their code', () => {
  const [line] = asJson(
    heard([
      {
        type: 'tenant.problem',
        file: 'tenants/acme.yaml',
        line: 3,
        column: 5,
        code: 'INVALID_SETTING',
        message: 'unknown key',
      },
    ]),
  );
  expect(line).toMatchObject({
    level: 'warn',
    file: 'tenants/acme.yaml',
    problem: 'unknown key',
    msg: 'tenants/acme.yaml:3:5 INVALID_SETTING unknown key',
  });
});

test('a stranger who guesses keys does not write the log', () => {
  const guesses = Array.from(
    { length: 1000 },
    () => ({ type: 'auth.refused', remote: '192.0.2.7' }) as const,
  );
  expect(heard([...guesses, { type: 'auth.refused', remote: '192.0.2.8' }])).toHaveLength(2);
});
