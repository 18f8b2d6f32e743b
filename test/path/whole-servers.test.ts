import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { childrenOf, identify, isRunning } from '../../src/workers/sandbox/processes.ts';
import { cgroupOf, limitIn, noCgroups, ownFolder, proxyCgroups, version } from '../support/cgroups.ts';
import { eventually } from '../support/eventually.ts';
import { openGuest } from '../support/guest.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';
import { type Setting, settingFolder, settings } from '../support/tiers.ts';

const controllers = ['memory', 'pids', 'cpu'] as const;
type Controller = (typeof controllers)[number];
/** Those that can write cgroups: with v1, who is not root cannot, and is told so. */
const asRoot = settings.filter(({ missing, uid }) => missing === undefined && uid === undefined);
const usable = noCgroups === undefined && process.getuid?.() === 0 ? asRoot : [];
if (usable.length === 0) test.skip(`whole servers (${noCgroups ?? 'not root'})`, () => undefined);

const running: RunningProxy[] = [];
let before: string[] = [];

async function start(setting: Setting, mode = '', more: { state?: string; workers?: string } = {}) {
  before = proxyCgroups();
  const config = `workers: { isolation: ${setting.isolation}, stopGrace: 200ms${more.workers ?? ''} }\n${more.state ? `state: ${more.state}\n` : ''}`;
  const hostile = tenantYaml('acme', 'hostile', '', { MODE: mode });
  const tenants = {
    acme: hostile.replace('server:', 'server:\n  sandbox: { memory: 768MiB, processes: 100, cpus: 1.5 }'),
    globex: tenantYaml('globex', 'echo'),
    initech: tenantYaml('initech', 'rude', '', { MODE: 'spin' }),
  };
  const proxy = await startProxy({ tenants, config, setting });
  running.push(proxy);
  return proxy;
}

/** Those that came since the proxy of this test was started, and may be of another one of the same time. */
const ours = (): string[] => proxyCgroups().filter((each) => !before.includes(each));

/** The cgroups of a tenant's server, as the machine has them. */
async function cellsOf(proxy: RunningProxy, tenant: string): Promise<Record<Controller, string>> {
  const worker = (await proxy.status()).tenants.find(({ id }) => id === tenant)?.workers[0];
  const cells = controllers.map((each) => [each, cgroupOf(worker!.pid, each)]);
  return Object.fromEntries(cells) as Record<Controller, string>;
}

/** The same, once it is in them all: behind bubblewrap that takes a while. */
const heldIn = (proxy: RunningProxy, tenant: string) =>
  eventually(async () => {
    const cells = await cellsOf(proxy, tenant);
    return Object.values(cells).every((cell) => cell.includes(`/of-${tenant}/`)) && cells;
  });

function pidsOf(cell: string): number[] {
  const text = readFileSync(path.join(ownFolder('pids'), cell, 'cgroup.procs'), 'utf8');
  return text.split('\n').filter(Boolean).map(Number);
}

afterEach(async () => {
  for (const proxy of running.splice(0)) await proxy.stop();
});

describe.each(usable)('whole servers: $name', (setting) => {
  test('all processes of a server are held together, and the status says by what', async () => {
    const proxy = await start(setting);
    const { cgroups, cgroupsReason } = await proxy.status();
    expect({ cgroups, cgroupsReason }).toEqual({
      cgroups: `v${version}: memory, pids, cpu`,
      cgroupsReason: null,
    });
    await Promise.all([openGuest(proxy, 'acme'), openGuest(proxy, 'globex')]);
    const [acme, globex] = [await heldIn(proxy, 'acme'), await heldIn(proxy, 'globex')];
    for (const controller of controllers) {
      expect(acme[controller]).toMatch(/^mcp-tenant-proxy-[0-9a-f]{32}\/of-acme\/\d+$/);
      expect(globex[controller]).toMatch(/^mcp-tenant-proxy-[0-9a-f]{32}\/of-globex\/\d+$/);
    }
    expect(limitIn('memory', acme.memory)).toBe(768 * 1024 ** 2);
    expect(limitIn('memory', globex.memory)).toBe(4 * 1024 ** 3);
    const own = setting.tier === 'bubblewrap' ? 2 : 0;
    expect(limitIn('pids', acme.pids)).toBe(100 + own);
    await eventually(() => pidsOf(acme.pids).length === 1 + own);
    expect(limitIn('cpu', acme.cpu)).toBe(150_000);
    expect((await proxy.run('reap', 'acme')).code).toBe(0);
    await eventually(() => !existsSync(path.join(ownFolder('pids'), path.dirname(acme.pids))));
    proxy.signal('SIGTERM');
    await proxy.exited;
    const [name] = globex.pids.split('/');
    expect(ours().filter((each) => each.endsWith(name!))).toEqual([]);
  });

  test('a server that keeps a processor busy gives way, and the log says so', async () => {
    const proxy = await start(setting);
    const [quiet, busy] = [await openGuest(proxy, 'globex'), await openGuest(proxy, 'initech')];
    await quiet.call('echo', { text: 'there' });
    const spinning = busy.call('echo', { text: 'spin' }).catch(() => undefined);
    const { tenant } = await proxy.logged(({ event }) => event === 'worker.yields');
    expect(tenant).toBe('initech');
    await proxy.stop();
    await spinning;
  });

  test('a daemon without mark or session ends with its worker, its proxy, or the next start after both were killed', async () => {
    const state = path.join(settingFolder(setting), 'state');
    const first = await start(setting, 'scrubbed', { state });
    const reaped = await daemonised(first, setting);
    expect((await first.run('reap', 'acme')).code).toBe(0);
    await reaped.over();
    const left = await daemonised(first, setting);
    const [keeper] = childrenOf(first.pid);
    process.kill(keeper!, 'SIGSTOP');
    first.signal('SIGKILL');
    process.kill(keeper!, 'SIGKILL');
    await first.exited;
    const second = await start(setting, 'scrubbed', { state });
    await left.over();
    expect(existsSync(left.folder)).toBe(false);
    const cut = await daemonised(second, setting);
    second.signal('SIGKILL');
    await cut.over();
    await eventually(() => !existsSync(cut.folder), 5000);
    rmSync(path.dirname(state), { recursive: true, force: true });
  });
});

/** A worker and its daemon, once both are there. */
async function daemonised(proxy: RunningProxy, { tier }: Setting) {
  const guest = await openGuest(proxy, 'acme');
  await guest.call('echo', { text: 'there' });
  const { pids } = await heldIn(proxy, 'acme');
  await eventually(() => pidsOf(pids).length > (tier === 'bubblewrap' ? 3 : 1));
  const inside = pidsOf(pids).map((pid) => identify(pid));
  return {
    /** The cgroup of the whole run. */
    folder: path.join(ownFolder('pids'), pids.split('/')[0]!),
    over: () => eventually(() => !inside.some((each) => each && isRunning(each)), 5000),
  };
}

test.runIf(usable.length > 0)(
  'with workers.cgroups none, and with isolation none, there are none',
  async () => {
    const [setting] = usable;
    const proxy = await start(setting!, '', { workers: ', cgroups: none' });
    const { cgroups, cgroupsReason } = await proxy.status();
    expect({ cgroups, cgroupsReason }).toEqual({ cgroups: null, cgroupsReason: 'workers.cgroups is none' });
    await openGuest(proxy, 'acme');
    const cells = Object.values(await cellsOf(proxy, 'acme'));
    expect(cells.filter((cell) => cell.includes('/of-'))).toEqual([]);
  },
);
