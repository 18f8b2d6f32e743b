import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { callText, connect } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { openGuest } from '../support/guest.ts';
import { fixture, type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';
import { type Setting, settings } from '../support/tiers.ts';

/** Servers that worked without a wall work behind one, and see no more than they should. */
let proxy: RunningProxy | undefined;

const reader = `
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { schema, serve, text } from ${JSON.stringify(fixture('stdio'))};
const attempt = (run) => { try { return run(); } catch (error) { return error.code; } };
const tools = {
  list: { inputSchema: schema(), run: ({ path }) => text(attempt(() => readdirSync(path).sort())) },
  read: { inputSchema: schema(), run: ({ path }) => text(attempt(() => readFileSync(path, 'utf8'))) },
  write: { inputSchema: schema(), run: ({ path }) => text(attempt(() => { writeFileSync(path, 'x'); return 'written'; })) },
  home: { inputSchema: schema(), run: () => text([process.env.HOME, process.cwd()]) },
};
serve({ name: 'reader', tools });
`;

async function start(setting: Setting, tenants: Record<string, string>, files: Record<string, string> = {}) {
  proxy = await startProxy({ tenants, setting, config: `workers: { isolation: ${setting.isolation} }` });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(proxy.dir, name)), { recursive: true });
    writeFileSync(path.join(proxy.dir, name), content);
  }
  expect((await proxy.status()).isolation).toBe(setting.tier);
  return proxy;
}

/** The script is its own; what it imports is beside the tests, so that its file must say so. */
const readerTenant = (sandbox = '') => `tenant: acme
server:
  command: node
  args: [app/server.mjs]
  sandbox: { read: [${JSON.stringify(path.dirname(fixture('stdio')))}${sandbox} }
`;
const filesBeside = {
  'app/server.mjs': reader,
  'app/package.json': '{}',
  '.env': 'SECRET=1',
  'data/notes.txt': 'note',
  'out/x': '',
};

/** Everything below a process, the dead that nobody has collected included. */
function descendantsOf(ancestor: number): { readonly name: string; readonly state: string }[] {
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const [, name = '', state = '', parent = ''] =
          /^\d+ \((.*)\) (\S) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
        return [{ pid: Number(pid), name, state, parent: Number(parent) }];
      } catch {
        return [];
      }
    });
  const below = (parent: number): typeof stats =>
    stats.filter((each) => each.parent === parent).flatMap((each) => [each, ...below(each.pid)]);
  return below(ancestor);
}

afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
});

const walled = settings.filter(({ tier }) => tier !== 'process only');
for (const { name, missing } of walled)
  if (missing !== undefined) test.skip(`behind the wall: ${name} (${missing})`, () => undefined);
const usable = walled.filter(({ missing }) => missing === undefined);

describe.each(usable)('behind the wall: $name', (setting) => {
  test('a server of the official SDK’s clients answers, and its process has the number that the machine knows it by', async () => {
    const started = await start(setting, { acme: tenantYaml('acme', 'echo') });
    const { url, keys } = started;
    const client = await connect(url, keys['acme']!);
    expect(await callText(client, 'echo', { text: 'hello' })).toBe('hello');
    const [row] = (await started.status()).tenants;
    const [worker] = row!.workers;
    expect(existsSync(`/proc/${worker!.pid}`)).toBe(true);
    // Node alone takes more than this: it is the server that is measured, not the wall around it.
    expect(worker!.rssBytes).toBeGreaterThan(20 * 1024 ** 2);
    await client.close();
  });

  test('one that is stopped hears SIGTERM itself, before its wall comes down', async () => {
    const started = await start(setting, {
      acme: tenantYaml('acme', 'hostile', '', { MODE: 'exit-on-sigterm' }),
    });
    await openGuest(started, 'acme');
    expect((await started.run('reap', 'acme')).code).toBe(0);
    const exited = await started.logged(({ event }) => event === 'worker.exited');
    expect(exited['exitCode']).toBe(43);
  });

  test('one that is ended by a signal is told so', async () => {
    const started = await start(setting, { acme: tenantYaml('acme', 'hostile', '', { MODE: 'segfault' }) });
    await openGuest(started, 'acme').catch(() => undefined);
    const exited = await started.logged(
      ({ event }) => event === 'worker.exited' || event === 'worker.failed',
    );
    expect(exited['signal'] ?? exited['reason']).toContain('SIGSEGV');
  });

  test('two tenants have a home each, and keep what is in it', async () => {
    const started = await start(
      setting,
      { acme: readerTenant(']'), globex: readerTenant(']').replace('acme', 'globex') },
      filesBeside,
    );
    const [one, other] = [await openGuest(started, 'acme'), await openGuest(started, 'globex')];
    const [home = ''] = JSON.parse((await one.call('home')).text ?? '') as string[];
    const [otherHome = ''] = JSON.parse((await other.call('home')).text ?? '') as string[];
    expect((await one.call('write', { path: `${home}/kept` })).text).toBe('written');
    expect((await other.call('read', { path: `${otherHome}/kept` })).text).toBe('ENOENT');
    await started.run('restart', 'acme');
    const again = await openGuest(started, 'acme');
    expect((await again.call('read', { path: `${home}/kept` })).text).toBe('x');
  });
});

const sandboxes = usable.filter(({ tier }) => tier === 'bubblewrap');
describe.each(sandboxes)('inside the sandbox: $name', (setting) => {
  test('a server sees its own folder and its package, and nothing that is hidden', async () => {
    const started = await start(setting, { acme: readerTenant(']') }, filesBeside);
    const { dir } = started;
    const guest = await openGuest(started, 'acme');
    expect((await guest.call('list', { path: dir })).text).toBe('["app","data","out"]');
    expect((await guest.call('read', { path: `${dir}/data/notes.txt` })).text).toBe('note');
    for (const name of ['tenants', '.proxy', 'admin.sock', '.env', 'proxy.config.yaml'])
      expect((await guest.call('read', { path: path.join(dir, name) })).text).toBe('ENOENT');
    expect((await guest.call('write', { path: `${dir}/data/new` })).text).toBe('EROFS');
    for (const file of ['/etc/shadow', '/var/log', '/sys', '/boot', '/etc/hostname'])
      expect((await guest.call('read', { path: file })).text).toMatch(/ENOENT|EACCES/);
    expect((await guest.call('list', { path: '/home' })).text).toMatch(/ENOENT|\[\]/);
  });

  test('and what its file gives it under sandbox, also when somebody puts another folder in place of the tenants’', async () => {
    const more = ', /etc/hostname], write: [./out]';
    const started = await start(setting, { acme: readerTenant(more) }, filesBeside);
    const { dir } = started;
    if (setting.uid !== undefined || setting.name.includes('root')) await open(path.join(dir, 'out'));
    const guest = await openGuest(started, 'acme');
    expect((await guest.call('write', { path: `${dir}/out/new` })).text).toBe('written');
    expect((await guest.call('read', { path: '/etc/hostname' })).text).not.toBe('ENOENT');
    mkdirSync(path.join(dir, 'later'));
    expect((await guest.call('list', { path: dir })).text).toBe('["app","data","out"]');
  });

  test('what ends there without a parent is collected: no zombie is left', async () => {
    const started = await start(setting, { acme: tenantYaml('acme', 'hostile', '', { MODE: 'orphans' }) });
    const asked = openGuest(started, 'acme');
    const sleepers = () => descendantsOf(started.pid).filter(({ name }) => name === 'sleep');
    expect(await eventually(() => sleepers().length === 5)).toBe(true);
    const guest = await asked;
    await eventually(() => sleepers().length === 0);
    expect(descendantsOf(started.pid).filter(({ state }) => state === 'Z')).toEqual([]);
    expect((await guest.call('modes')).text).toContain('orphans');
  });

  test('network: none leaves it nobody to talk to', async () => {
    const more = '  sandbox: { network: none }';
    const started = await start(setting, {
      acme: tenantYaml('acme', 'hostile', '').replace('server:', `server:\n${more}`),
    });
    const guest = await openGuest(started, 'acme');
    expect((await guest.call('connect', { url: started.url })).text).toMatch(/ECONNREFUSED|ENETUNREACH/);
  });

  test('a real server from npm runs behind the wall', async () => {
    const npx = `tenant: acme\nserver: { command: npx, args: ['-y', '@modelcontextprotocol/server-everything'], cwd: ${JSON.stringify(path.resolve('.'))} }\n`;
    const { url, keys } = await start(setting, { acme: npx });
    const client = await connect(url, keys['acme']!);
    expect(await callText(client, 'echo', { message: 'hello' })).toContain('hello');
    await client.close();
  });
});

const open = (folder: string) => new Promise((resolve) => execFile('chmod', ['-R', '777', folder], resolve));
