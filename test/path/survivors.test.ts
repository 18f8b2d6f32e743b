import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { type Setting, settingFolder, settings } from '../support/tiers.ts';
import { eventually } from '../support/eventually.ts';
import { openGuest } from '../support/guest.ts';
import { processesWith, type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

/** No descendant outlives the proxy by more than this, in milliseconds. */
const mostMs = 1000;
const modes = [
  'daemonise',
  'double-fork',
  'hold-pipes',
  'ignore-sigterm',
  'daemonise,double-fork,ignore-sigterm',
];

let count = 0;
/** In the environment of everything a proxy of a test starts. */
const newMark = () => `survivors-${process.pid}-${++count}-`;
const running: { proxy: RunningProxy; mark: string }[] = [];

async function start(modesOf: readonly string[], setting: Setting, state?: string) {
  const mark = newMark();
  const tenants = Object.fromEntries(
    modesOf.map((mode, at) => [
      `t${at}`,
      tenantYaml(`t${at}`, 'hostile', '', { MARK: `${mark}-t${at}`, MODE: mode }),
    ]),
  );
  const config = `workers: { isolation: ${setting.isolation}, stopGrace: 200ms }\n${state ? `state: ${state}\n` : ''}`;
  const proxy = await startProxy({ tenants, config, setting });
  expect((await proxy.status()).isolation).toBe(setting.tier);
  running.push({ proxy, mark });
  return { proxy, mark };
}

/** Opens a session with each tenant, so that each one's server runs and has done its worst. */
const wake = (proxy: RunningProxy) => Promise.all(Object.keys(proxy.keys).map((id) => openGuest(proxy, id)));

async function expectNobody(mark: string, withinMs = mostMs): Promise<void> {
  await eventually(() => processesWith(mark).length === 0, withinMs).catch(() => undefined);
  expect(processesWith(mark)).toEqual([]);
}

afterEach(async () => {
  for (const { proxy, mark } of running.splice(0)) {
    await proxy.stop();
    for (const pid of processesWith(mark)) process.kill(pid, 'SIGKILL');
  }
});

const usable = settings.filter(({ missing }) => missing === undefined);
for (const { name, missing } of settings)
  if (missing !== undefined) test.skip(`nothing survives: ${name} (${missing})`, () => undefined);

/** Behind each wall; `npm run soak` does it often. */
const rounds = process.env['SOAK'] === undefined ? 1 : Math.ceil(500 / usable.length);

describe.each(usable)('nothing survives: $name', (setting) => {
  test('the proxy is killed while servers run that have daemonised, forked twice and ignore signals', async () => {
    const { proxy, mark } = await start(modes, setting);
    await wake(proxy);
    expect(processesWith(mark).length).toBeGreaterThanOrEqual(modes.length * 2 - 1);
    proxy.signal('SIGKILL');
    await proxy.exited;
    await expectNobody(mark);
  });

  test('the proxy is told to stop', async () => {
    const { proxy, mark } = await start(modes, setting);
    await wake(proxy);
    proxy.signal('SIGTERM');
    await proxy.exited;
    await expectNobody(mark);
  });

  test('one worker is stopped: what it has daemonised goes with it, its neighbours stay', async () => {
    const { proxy, mark } = await start(['daemonise,double-fork', 'daemonise'], setting);
    const [, neighbour] = await wake(proxy);
    const before = processesWith(mark).length;
    expect((await proxy.run('reap', 't0')).code).toBe(0);
    await proxy.logged(({ event, tenant }) => event === 'worker.exited' && tenant === 't0');
    await eventually(() => processesWith(`${mark}-t0`).length === 0, 5000);
    expect(processesWith(mark).length).toBeLessThan(before);
    expect((await neighbour!.call('echo', { text: 'still here' })).text).toBe('still here');
  });

  test(
    'the proxy is killed within milliseconds of a spawn, at random',
    async () => {
      for (let round = 0; round < rounds; round++) {
        const { proxy, mark } = await start(['daemonise', 'double-fork', ''], setting);
        const asked = wake(proxy).catch(() => undefined);
        await proxy.logged(({ event }) => event === 'session.opened' || event === 'worker.spawned');
        await pause(Math.random() * 20);
        proxy.signal('SIGKILL');
        await proxy.exited;
        await expectNobody(mark);
        await asked;
      }
    },
    30_000 + rounds * 10_000,
  );

  test('the keeper is killed: its workers end, the next call has a new one', async () => {
    const { proxy, mark } = await start(['daemonise,double-fork'], setting);
    await wake(proxy);
    const before = processesWith(mark);
    process.kill(await keeperOf(proxy), 'SIGKILL');
    await proxy.logged(({ event }) => event === 'keeper.lost');
    await eventually(() => !processesWith(mark).some((pid) => before.includes(pid)), mostMs);
    const guest = await eventually(() => openGuest(proxy, 't0').catch(() => undefined));
    expect((await guest.call('echo', { text: 'again' })).text).toBe('again');
  });

  test('proxy and keeper are killed together: the next start ends what is left', async () => {
    const state = path.join(settingFolder(setting), 'state');
    const { proxy, mark } = await start(['daemonise,double-fork'], setting, state);
    await wake(proxy);
    const keeper = await keeperOf(proxy);
    process.kill(keeper, 'SIGSTOP');
    proxy.signal('SIGKILL');
    process.kill(keeper, 'SIGKILL');
    await proxy.exited;
    await start([''], setting, state);
    await expectNobody(mark);
    rmSync(path.dirname(state), { recursive: true, force: true });
  });
});

/** The keeper is the proxy's only child that runs our own program. */
async function keeperOf(proxy: RunningProxy): Promise<number> {
  const { childrenOf } = await import('../../src/workers/sandbox/processes.ts');
  const [keeper] = childrenOf(proxy.pid);
  expect(keeper).toBeDefined();
  return keeper!;
}
