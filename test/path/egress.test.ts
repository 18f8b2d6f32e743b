import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Guest, openGuest } from '../support/guest.ts';
import { processesWith, type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';
import { type Setting, settings } from '../support/tiers.ts';

/** Servers behind an allow-list reach what is on it, and nothing else. */
let proxy: RunningProxy | undefined;

/** Answers with what it has heard, once that has ended: so the way back is open when the way there is closed. */
function echo(socket: Socket): void {
  let heard = '';
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
  socket.on('error', () => undefined);
  socket.once('end', () => socket.end(`heard ${heard}`));
}
const psk = Buffer.from('0123456789abcdef0123456789abcdef', 'hex');
const plain = createServer({ allowHalfOpen: true }, echo);
const other = createServer({ allowHalfOpen: true }, echo);
const secure = createTlsServer({ ciphers: 'PSK', pskCallback: () => psk, allowHalfOpen: true }, echo);
/** Those of `plain`. */
const sockets = new Set<Socket>();
plain.on('connection', (socket) => sockets.add(socket.once('close', () => sockets.delete(socket))));
const portOf = (server: Server): number => (server.address() as { port: number }).port;

beforeAll(async () => {
  for (const server of [plain, other, secure]) await once(server.listen(0, '0.0.0.0'), 'listening');
});
afterAll(() => {
  for (const server of [plain, other, secure]) server.close();
});
afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
});

/** Of this machine, as others on its network see it. */
const own = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

const listed = (id: string, allow: readonly string[]): string =>
  tenantYaml(id, 'traveller').replace(
    'server:\n',
    `server:\n  sandbox: { network: { allow: ${JSON.stringify(allow)} } }\n`,
  );

const start = async (setting: Setting, tenants: Record<string, string>, hosts?: string) =>
  (proxy = await startProxy({
    ...{ tenants, setting, config: `workers: { isolation: ${setting.isolation} }` },
    ...(hosts === undefined ? {} : { hosts }),
  }));

async function visit(guest: Guest, ...to: readonly object[]): Promise<unknown> {
  const { text = '' } = await guest.call('visit', { to });
  return JSON.parse(text);
}

const sandboxed = settings.filter(({ tier }) => tier === 'bubblewrap');
for (const { name, missing } of sandboxed)
  if (missing !== undefined) test.skip(`an allow-list: ${name} (${missing})`, () => undefined);

describe.each(sandboxed.filter(({ missing }) => missing === undefined))('an allow-list: $name', (setting) => {
  test('lets a server reach what is on it, plain and with TLS, each tenant its own, and nothing else', async () => {
    const here = { port: portOf(plain), send: 'hello' };
    const started = await start(setting, {
      acme: listed('acme', [`localhost:${portOf(plain)}`, `LOCALHOST:${portOf(secure)}`]),
      globex: listed('globex', [`localhost:${portOf(other)}`]),
    });
    const acme = await openGuest(started, 'acme');
    const globex = await openGuest(started, 'globex');
    expect(
      await visit(
        acme,
        { host: 'localhost', ...here },
        { host: 'localhost', port: portOf(secure), send: 'secret', by: 'tls' },
        { host: 'localhost', port: portOf(other), send: '' },
        { host: '127.0.0.1', port: Number(new URL(started.url).port), send: '' },
        { host: own ?? '192.0.2.1', port: portOf(plain), send: '' },
        { host: '169.254.169.254', port: 80, send: '' },
      ),
    ).toEqual([
      ...['heard hello', 'heard secret', 'ECONNREFUSED', 'ECONNREFUSED', 'ENETUNREACH', 'ENETUNREACH'],
    ]);
    expect(
      await visit(
        globex,
        { host: 'localhost', ...here },
        { host: 'localhost', port: portOf(other), send: 'x' },
      ),
    ).toEqual(['ECONNREFUSED', 'heard x']);
    expect((await acme.call('udp', { host: '192.0.2.53', port: 53 })).text).toBe('ENETUNREACH');
    expect((await acme.call('name', { name: 'example.com' })).text).toBe('ENOTFOUND');
  }, 60_000);

  test('ends with the server, whatever was under way, and leaves nothing behind', async () => {
    const started = await start(setting, { acme: listed('acme', [`localhost:${portOf(plain)}`]) });
    const acme = await openGuest(started, 'acme');
    const to = { host: 'localhost', port: portOf(plain) };
    await acme.call('hold', { ...to, times: 300 });
    // What is too many is refused: the rest was accepted before it.
    await started.logged(({ event }) => event === 'egress.failed');
    expect(await eventually(() => sockets.size >= 256 && sockets.size)).toBe(256);
    expect((await started.run('restart', 'acme')).code).toBe(0);
    await eventually(() => sockets.size === 0);
    expect(await visit(acme, { ...to, send: 'again' })).toEqual(['heard again']);
    const [mark = ''] = readdirSync(path.join(started.dir, '.proxy/state/instances'));
    const relays = processesWith(`MCPX_WORKER=${mark}.relay`);
    expect(relays.length).toBe(1);
    process.kill(relays[0]!, 'SIGKILL');
    await started.logged(({ event, signal }) => event === 'worker.exited' && signal === 'SIGKILL');
    expect(await visit(acme, { ...to, send: 'once more' })).toEqual(['heard once more']);
    expect(await started.stop()).toBe(0);
    expect(processesWith(`MCPX_WORKER=${mark}`)).toEqual([]);
  }, 60_000);
});

const asRoot = sandboxed.filter(
  ({ missing, uid }) =>
    missing === undefined && process.getuid?.() === 0 && own !== undefined && uid === undefined,
);
test.runIf(asRoot.length > 0)(
  'names are looked up outside, and what leads to this machine or its link is refused and told',
  async () => {
    const [setting] = asRoot;
    const port = portOf(plain);
    const names = ['service.test', 'rebound.test', 'metadata.test', 'unknown.invalid'];
    const hosts = `127.0.0.1 localhost\n${own} service.test not-listed.test\n127.0.0.1 rebound.test\n169.254.169.254 metadata.test\n`;
    const started = await start(
      setting!,
      {
        acme: listed(
          'acme',
          names.map((name) => `${name}:${port}`),
        ),
      },
      hosts,
    );
    const acme = await openGuest(started, 'acme');
    const to = (host: string) => ({ host, port, send: 'hello' });
    expect(await visit(acme, ...[...names, 'not-listed.test', own ?? ''].map(to))).toEqual([
      ...['heard hello', 'ECONNRESET', 'ECONNRESET', 'ECONNRESET', 'ENOTFOUND', 'ENETUNREACH'],
    ]);
    const told = async (name: string) =>
      await started.logged(({ event, host }) => event === 'egress.failed' && host === name);
    expect(await told('rebound.test')).toMatchObject({
      tenant: 'acme',
      server: 'default',
      port,
      suppressed: 0,
    });
    expect((await told('rebound.test'))['reason']).toContain(
      'it resolves to 127.0.0.1, where no allow-list leads',
    );
    expect((await told('metadata.test'))['reason']).toContain('it resolves to 169.254.169.254');
    expect((await told('unknown.invalid'))['reason']).toContain('the name cannot be looked up');
  },
  60_000,
);

const lesser = settings.filter(({ tier, missing }) => tier !== 'bubblewrap' && missing === undefined);
test.each(lesser)(
  'a server that has an allow-list, or no network, is not started: $name',
  async (setting) => {
    const closed = listed('closed', ['localhost:1']).replace(/network: \{[^}]*\}/, 'network: none');
    const started = await start(setting, { acme: listed('acme', ['localhost:1']), closed });
    for (const [id, asked] of [
      ['acme', 'has an allow-list'],
      ['closed', 'is none'],
    ] as const) {
      // It is told before the caller is.
      void openGuest(started, id).catch(() => undefined);
      const failed = await started.logged(({ event, tenant }) => event === 'worker.failed' && tenant === id);
      expect(failed['stderrTail']).toContain(`sandbox.network ${asked}, which needs bubblewrap`);
    }
  },
  60_000,
);
