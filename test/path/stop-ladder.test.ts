import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { isRunning, openGuest } from '../support/guest.ts';
import {
  fixture,
  type LogLine,
  processesWith,
  type RunningProxy,
  startProxy,
  tenantYaml,
} from '../support/start-proxy.ts';

/** How one process is stopped: politely, firmly, and then not asked any more; each step only after the one before. */
const graceMs = 400;
const mark = `stop-ladder-${process.pid}`;
const dir = mkdtempSync(path.join(tmpdir(), 'mtp-ladder-'));
// The tenant's user reads and writes here too.
chmodSync(dir, 0o777);
const diary = path.join(dir, 'diary');
const script = path.join(dir, 'firm.mjs');

/** Stays when its stdin is closed, tells its diary what happens to it, and goes on SIGTERM. */
const firmServer = `
import { appendFileSync } from 'node:fs';
import { basicTools, serve } from ${JSON.stringify(fixture('stdio'))};
const note = (text) => appendFileSync(process.env.DIARY, text + '\\n');
process.stdin.on('end', () => note('stdin ' + Date.now()));
process.on('SIGTERM', () => {
  note('SIGTERM ' + Date.now());
  process.exit(5);
});
setTimeout(() => process.exit(0), 120_000);
serve({ name: 'firm', endWithStdin: false, tools: basicTools });
`;

let proxy: RunningProxy;

beforeAll(async () => {
  writeFileSync(script, firmServer);
  const firm = `tenant: firm
server:
  command: ${JSON.stringify(process.execPath)}
  args: [${JSON.stringify(script)}]
  env: ${JSON.stringify({ DIARY: diary, MARK: mark })}
  sandbox: { read: [${JSON.stringify(path.dirname(fixture('stdio')))}], write: [${JSON.stringify(dir)}] }
`;
  proxy = await startProxy({
    tenants: {
      polite: tenantYaml('polite', 'echo', '', { MARK: mark }),
      firm,
      stubborn: tenantYaml('stubborn', 'stubborn', '', { MARK: mark }),
      holding: tenantYaml('holding', 'stubborn', '', { MARK: mark, GRANDCHILD_HOLDS: '1' }),
    },
    config: `workers: { sweepEvery: 50ms, stopGrace: ${graceMs}ms }`,
  });
});

afterAll(async () => {
  await proxy.stop();
  rmSync(dir, { recursive: true, force: true });
  expect(processesWith(mark)).toEqual([]);
});

/** Has an operator stop the tenant's only worker; resolves with what the log says of its end, and how long it took. */
async function stopped(tenant: string, pid: number): Promise<{ line: LogLine; tookMs: number }> {
  const askedAt = performance.now();
  expect((await proxy.run('reap', tenant)).code).toBe(0);
  const line = await proxy.logged((entry) => entry.event === 'worker.exited' && entry['pid'] === pid);
  expect(line).toMatchObject({ tenant, reason: 'an operator reaped it', cutCalls: 0 });
  return { line, tookMs: performance.now() - askedAt };
}

describe('a worker that is stopped', () => {
  test('ends by itself when its stdin is closed', async () => {
    const pid = await (await openGuest(proxy, 'polite')).pid();
    const { line } = await stopped('polite', pid);
    expect(line['exitCode']).toBe(0);
    expect(line['signal']).toBeUndefined();
    expect(isRunning(pid)).toBe(false);
  });

  test('gets SIGTERM when that was not enough, and only then', async () => {
    const pid = await (await openGuest(proxy, 'firm')).pid();
    const { line } = await stopped('firm', pid);
    expect(line['exitCode']).toBe(5);
    const notes = readFileSync(diary, 'utf8')
      .trim()
      .split('\n')
      .map((note) => note.split(' '));
    expect(notes.map(([what]) => what)).toEqual(['stdin', 'SIGTERM']);
    const [closedAt, termedAt] = notes.map(([, at]) => Number(at));
    expect(termedAt! - closedAt!).toBeGreaterThan(graceMs / 2);
    expect(isRunning(pid)).toBe(false);
  });

  test.each(['stubborn', 'holding'])(
    'is killed when nothing helps, with its whole group: %s',
    async (tenant) => {
      const guest = await openGuest(proxy, tenant);
      const pids = [await guest.pid(), await guest.pid('grandchild')];
      expect(pids.map(isRunning)).toEqual([true, true]);
      const { line, tookMs } = await stopped(tenant, pids[0]!);
      expect(line['signal']).toBe('SIGKILL');
      // The two steps before it were taken.
      expect(tookMs).toBeGreaterThanOrEqual(graceMs * 2);
      expect(tookMs).toBeLessThan(graceMs * 2 + 3000);
      await eventually(() => !pids.some(isRunning), 1000);
      // The tenant is served on, by another process.
      expect(pids).not.toContain(await guest.pid());
    },
  );

  test('does not take a neighbour with it', async () => {
    const neighbour = await openGuest(proxy, 'polite');
    const neighbourPid = await neighbour.pid();
    const pid = await (await openGuest(proxy, 'stubborn')).pid();
    const slow = neighbour.call('sleep', { ms: graceMs * 3 });
    await stopped('stubborn', pid);
    expect(await slow).toMatchObject({ status: 200, text: `slept ${graceMs * 3}` });
    expect(await neighbour.pid()).toBe(neighbourPid);
  });
});
