import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { initializeBody } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { ask, atOnce, codeOf, eventsOf, openGuest, type Outcome } from '../support/guest.ts';
import { fixture, isAlive, type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

/** A process that dies takes its own calls with it and nothing else, and each caller is told the truth at once. */
const secret = 'tok-5f0c9b7e-secret-of-leaky';
const dir = mkdtempSync(path.join(tmpdir(), 'mtp-crash-'));
// A tenant's user reads and writes here too.
chmodSync(dir, 0o777);
const marks = path.join(dir, 'marks');

/** Calls and lists leave a mark, so that a test can count them, and kill; a second list is answered unless ALWAYS. */
const markingServer = `
import { appendFileSync, existsSync } from 'node:fs';
import { serve } from ${JSON.stringify(fixture('stdio'))};
const { MARKS, ALWAYS, MCPX_WORKER } = process.env;
serve({
  name: 'marking',
  onMessage({ method }) {
    if (method !== 'tools/call' && method !== 'tools/list') return false;
    const isFirst = !existsSync(MARKS);
    appendFileSync(MARKS, method + ' ' + MCPX_WORKER + '\\n');
    if (method === 'tools/call' || isFirst || ALWAYS) process.exit(1);
    return false;
  },
});
`;
const marking = path.join(dir, 'marking.mjs');
const leakyServer = `
process.stderr.write('cannot log in with ' + process.env.TOKEN + ' at the second line\\n');
process.stderr.write('encoded: ' + Buffer.from(process.env.TOKEN).toString('base64') + '\\n');
process.exit(3);
`;
const leaky = path.join(dir, 'leaky.mjs');

const scriptYaml = (id: string, script: string, env: Record<string, string>) => `tenant: ${id}
server:
  command: ${JSON.stringify(process.execPath)}
  args: [${JSON.stringify(script)}]
  env: ${JSON.stringify(env)}
  sandbox: { read: [${JSON.stringify(path.dirname(fixture('stdio')))}], write: [${JSON.stringify(dir)}] }
`;
const tenants = {
  frail: tenantYaml('frail', 'echo', 'deadline: { call: 20s }'),
  sound: tenantYaml('sound', 'echo'),
  single: tenantYaml('single', 'echo', 'pool: { max: 1, concurrency: 1 }'),
  exclusive: tenantYaml('exclusive', 'echo', 'pool: { sharing: exclusive }'),
  marking: scriptYaml('marking', marking, { MARKS: marks }),
  relisting: scriptYaml('relisting', marking, { MARKS: `${marks}.list` }),
  hopeless: scriptYaml('hopeless', marking, { MARKS: `${marks}.always`, ALWAYS: '1' }),
  leaky: scriptYaml('leaky', leaky, { TOKEN: secret }),
  missing: `tenant: missing\nserver: { command: /nowhere/no-such-program }\n`,
  folder: `tenant: folder\nserver: { command: /tmp }\n`,
  homeless: `tenant: homeless\nserver: { command: "true", cwd: /nowhere/at-all }\n`,
  unfit: `tenant: unfit\nserver: { command: "true", args: ["a\\0b"] }\n`,
  mute: tenantYaml('mute', 'mute', '').replace('server:\n', 'server:\n  startTimeout: 300ms\n'),
};

let proxy: RunningProxy;

beforeAll(async () => {
  writeFileSync(marking, markingServer);
  writeFileSync(leaky, leakyServer);
  proxy = await startProxy({ tenants, config: 'workers: { sweepEvery: 50ms, stopGrace: 200ms }' });
});

afterAll(async () => {
  await proxy.stop();
  rmSync(dir, { recursive: true, force: true });
});

const marksIn = (file: string) => readFileSync(file, 'utf8').trim().split('\n');
const initialize = (tenant: string): Promise<Outcome> =>
  ask(proxy.url, proxy.keys[tenant]!, initializeBody());
const rowOf = async (id: string) => (await proxy.status()).tenants.find((row) => row.id === id)!;

const crashed = {
  status: 200,
  error: { code: -31001, data: { source: 'proxy', code: 'CRASHED', executed: 'unknown', retryable: false } },
};
const unavailable = {
  status: 503,
  error: { code: -31003, data: { source: 'proxy', code: 'UNAVAILABLE', executed: 'no', retryable: true } },
};

describe('a process that dies with calls in flight', () => {
  test('takes these with it, at once and with the truth, and nobody else’s', async () => {
    const [frail, sound] = [await openGuest(proxy, 'frail'), await openGuest(proxy, 'sound')];
    const [before, soundPid] = [await frail.pid(), await sound.pid()];
    const hanging = atOnce(3, () => frail.call('hang'));
    const neighbour = sound.call('sleep', { ms: 600 });
    await eventually(async () => (await rowOf('frail')).inFlight === 3);

    const died = await frail.call('crash');
    expect(died).toMatchObject(crashed);
    expect(died.tookMs).toBeLessThan(2000);
    for (const outcome of await hanging) {
      expect(outcome).toMatchObject(crashed);
      expect(Math.abs(outcome.endedAt - died.endedAt)).toBeLessThan(1000);
    }
    const exit = await proxy.logged(({ event, pid }) => event === 'worker.exited' && pid === before);
    expect(exit).toMatchObject({ tenant: 'frail', exitCode: 1, cutCalls: 4, reason: 'it ended by itself' });
    expect((await rowOf('frail')).lastError).toMatchObject({ code: 'CRASHED' });

    expect(await neighbour).toMatchObject({ status: 200, text: 'slept 600' });
    expect(await sound.pid()).toBe(soundPid);
    expect((await rowOf('sound')).lastError).toBeNull();
    // The session goes on, on a process that has seen nothing of what went before.
    expect(await frail.pid()).not.toBe(before);
    const seen = JSON.parse((await frail.call('seen')).text!) as { calls: number; initialize: number };
    expect(seen).toMatchObject({ calls: 2, initialize: 1 });
  });

  test('killed from outside it is the same', async () => {
    const guest = await openGuest(proxy, 'frail');
    const before = await guest.pid();
    const hanging = guest.call('hang');
    await eventually(async () => (await rowOf('frail')).inFlight === 1);
    const killedAt = performance.now();
    process.kill(before, 'SIGKILL');
    const outcome = await hanging;
    expect(outcome).toMatchObject(crashed);
    expect(outcome.error!.message).toContain('SIGKILL');
    expect(outcome.endedAt - killedAt).toBeLessThan(1000);
    expect(isAlive(before)).toBe(false);
    const after = await guest.pid();
    expect(after).not.toBe(before);
    expect(isAlive(after)).toBe(true);
  });

  test('a process that dies while nobody asks costs nobody a call', async () => {
    const guest = await openGuest(proxy, 'sound');
    const before = await guest.pid();
    process.kill(before, 'SIGKILL');
    await proxy.logged(({ event, pid }) => event === 'worker.exited' && pid === before);
    const outcome = await guest.call('whoami');
    expect(codeOf(outcome)).toBe('ok');
    expect(outcome.text).not.toContain(`"pid":${before}`);
  });
});

describe('a process that dies and is still wanted', () => {
  test('is replaced for those who wait for it: they never left', async () => {
    const guest = await openGuest(proxy, 'single');
    const before = await guest.pid();
    const hanging = guest.call('hang');
    await eventually(async () => (await rowOf('single')).inFlight === 1);
    const waiting = atOnce(5, (index) => guest.call('echo', { text: `nth ${index}` }));
    await eventually(async () => (await rowOf('single')).queued === 5);
    process.kill(before, 'SIGKILL');
    expect(await hanging).toMatchObject(crashed);
    const texts = (await waiting).map(({ text }) => text);
    expect(texts).toEqual(['nth 0', 'nth 1', 'nth 2', 'nth 3', 'nth 4']);
  });

  test('is replaced for the one session it belonged to', async () => {
    const [guest, neighbour] = [await openGuest(proxy, 'exclusive'), await openGuest(proxy, 'exclusive')];
    const [before, neighbourPid] = [await guest.pid(), await neighbour.pid()];
    expect(await guest.call('crash')).toMatchObject(crashed);
    const after = await guest.pid();
    expect([before, neighbourPid]).not.toContain(after);
    expect(await guest.pid()).toBe(after);
    expect(await neighbour.pid()).toBe(neighbourPid);
  });
});

describe('what is asked again', () => {
  test('`tools/call` never: the tool may have run', async () => {
    const guest = await openGuest(proxy, 'marking');
    expect(await guest.call('anything')).toMatchObject(crashed);
    // A later question gets a process of its own; had the first been asked again, it would have left its mark by now.
    expect(await guest.call('anything')).toMatchObject(crashed);
    const lines = marksIn(marks);
    expect(lines).toHaveLength(2);
    expect(new Set(lines).size).toBe(2);
  });

  test('`tools/list` once: it only reads', async () => {
    const guest = await openGuest(proxy, 'relisting');
    const outcome = await guest.request('tools/list');
    expect(outcome).toMatchObject({ status: 200, error: undefined });
    expect(outcome.result).toHaveProperty('tools');
    const lines = marksIn(`${marks}.list`);
    expect(lines).toHaveLength(2);
    expect(new Set(lines).size).toBe(2);
  });

  test('and not a second time', async () => {
    const guest = await openGuest(proxy, 'hopeless');
    expect(await guest.request('tools/list')).toMatchObject(crashed);
    expect(marksIn(`${marks}.always`)).toHaveLength(2);
  });
});

describe('a process that does not come to its handshake', () => {
  test('is UNAVAILABLE; its last words are in the log, without the tenant’s secrets', async () => {
    const outcome = await initialize('leaky');
    expect(outcome).toMatchObject(unavailable);
    expect(Number(outcome.retryAfter)).toBeGreaterThanOrEqual(1);

    const failed = await proxy.logged(({ event, tenant }) => event === 'worker.failed' && tenant === 'leaky');
    expect(failed['level']).toBe('error');
    expect(failed['stderrTail']).toContain('cannot log in with [REDACTED] at the second line');
    expect(failed['stderrTail']).toContain('encoded: [REDACTED]');
    const everything = JSON.stringify([proxy.logs, await proxy.status(), outcome]);
    expect(everything).not.toContain(secret);
    expect(everything).not.toContain(Buffer.from(secret).toString('base64'));
    // What a child wrote may hold anything, so clients are told nothing of it.
    expect(JSON.stringify(outcome)).not.toContain('cannot log in');
  });

  test('a command that is not there is UNAVAILABLE at once, and the status says why', async () => {
    const first = await initialize('missing');
    expect(first).toMatchObject(unavailable);
    expect(first.tookMs).toBeLessThan(1000);
    const row = await rowOf('missing');
    expect(row).toMatchObject({ state: 'broken', workers: [] });
    expect(row.lastError).toMatchObject({ code: 'UNAVAILABLE' });
    expect(row.lastError!.message).toContain('ENOENT');
    expect(row.retryInMs).toBeGreaterThan(10_000);
    // No use to try again every second: nobody has put the program there.
    await atOnce(20, () => initialize('missing'));
    expect(eventsOf(proxy, 'worker.failed', 'missing')).toHaveLength(1);
  });

  test.each(['folder', 'homeless', 'unfit'])('so is one that the system refuses: %s', async (tenant) => {
    const first = await initialize(tenant);
    expect(first).toMatchObject(unavailable);
    expect(first.tookMs).toBeLessThan(1000);
    expect(await rowOf(tenant)).toMatchObject({
      state: 'broken',
      workers: [],
      lastError: { code: 'UNAVAILABLE' },
    });
  });

  test('one that is silent is given up after `startTimeout`, and leaves nothing behind', async () => {
    const asked = initialize('mute');
    const { pid } = await proxy.logged(
      ({ event, tenant }) => event === 'worker.spawned' && tenant === 'mute',
    );
    const failed = await proxy.logged(({ event, tenant }) => event === 'worker.failed' && tenant === 'mute');
    expect(failed['reason']).toContain('300 ms');
    await eventually(() => !isAlive(pid as number));
    expect(await asked).toMatchObject(unavailable);
  });
});

test('none of them keeps a place: only processes that live are counted', async () => {
  const { tenants: rows } = await eventually(async () => {
    const status = await proxy.status();
    const live = status.tenants.flatMap(({ workers }) => workers);
    return status.totals.workers === live.length && status;
  });
  for (const { workers } of rows) expect(workers.every(({ pid }) => isAlive(pid))).toBe(true);
});
