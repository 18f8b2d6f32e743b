import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Actions } from '../../../src/admin/actions.ts';
import { openAdminListener, type AdminListener } from '../../../src/admin/listener.ts';
import { type Status } from '../../../src/admin/status.ts';
import { ProxyError } from '../../../src/calls/error.ts';
import { type Tenant } from '../../../src/tenants/tenant.ts';

const secret = 'very-secret-value';
const tenant = (id: string) =>
  ({ id, servers: new Map([['default', { env: { TOKEN: secret } }]]) }) as unknown as Tenant;
const reaped: (string | undefined)[] = [];
const actions: Actions = {
  status: () => Promise.resolve({ version: '1.2.3' } as Status),
  reload: () =>
    Promise.resolve({
      added: [tenant('new')],
      changed: [{ before: tenant('acme'), after: tenant('acme') }],
      removed: [],
    }),
  restart: (id) =>
    id === 'acme'
      ? Promise.resolve(2)
      : Promise.reject(new ProxyError('TENANT_NOT_CONFIGURED', `no tenant ${id}`)),
  reap: (id) => Promise.resolve(reaped.push(id)),
};

let folder: string;
let socket: string;
let open: AdminListener[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'admin-'));
  socket = path.join(folder, 'run', 'admin.sock');
  reaped.length = 0;
});
afterEach(async () => {
  await Promise.all(open.map((listener) => listener.close()));
  open = [];
  rmSync(folder, { recursive: true });
});

async function start(at = socket): Promise<AdminListener> {
  const listener = await openAdminListener(at, actions);
  open.push(listener);
  return listener;
}

function ask(
  method: string,
  url: string,
): Promise<{ status: number | undefined; body: unknown; text: string }> {
  return new Promise((resolve, reject) => {
    request({ socketPath: socket, method, path: url }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode, body: JSON.parse(text), text });
      });
    })
      .on('error', reject)
      .end();
  });
}

test('every question has its answer', async () => {
  await start();
  expect(await ask('GET', '/v1/status')).toMatchObject({ status: 200, body: { version: '1.2.3' } });
  expect(await ask('POST', '/v1/tenants/acme/restart')).toMatchObject({ status: 200, body: { workers: 2 } });
  expect(await ask('POST', '/v1/reap')).toMatchObject({ status: 200, body: { workers: 1 } });
  expect(await ask('POST', '/v1/reap/acme')).toMatchObject({ status: 200, body: { workers: 2 } });
  expect(reaped).toEqual([undefined, 'acme']);
});

test('a reload tells ids and no secret', async () => {
  await start();
  const answer = await ask('POST', '/v1/reload');
  expect(answer.body).toEqual({ added: ['new'], changed: ['acme'], removed: [] });
  expect(answer.text).not.toContain(secret);
});

test('what goes wrong is told as a code and a message', async () => {
  await start();
  expect(await ask('POST', '/v1/tenants/nobody/restart')).toMatchObject({
    status: 404,
    body: { code: 'TENANT_NOT_CONFIGURED', message: 'no tenant nobody' },
  });
  expect(await ask('GET', '/v1/nothing')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  expect(await ask('GET', '/v1/reload')).toMatchObject({ status: 405, body: { code: 'METHOD_NOT_ALLOWED' } });
  expect(await ask('POST', '/v1/reap/%E0%A4%A')).toMatchObject({
    status: 400,
    body: { code: 'INVALID_TENANT' },
  });
});

test('only this user can open the socket, whatever the umask', async () => {
  const before = process.umask(0);
  try {
    await start();
    expect(process.umask(0)).toBe(0);
  } finally {
    process.umask(before);
  }
  expect(statSync(socket).mode & 0o777).toBe(0o600);
  expect(statSync(path.dirname(socket)).mode & 0o777).toBe(0o700);
});

test('the socket goes with the listener', async () => {
  const listener = await start();
  await listener.close();
  open = [];
  expect(existsSync(socket)).toBe(false);
});

test('a socket left by a killed proxy is taken over', async () => {
  const script = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  const old = path.join(folder, 'admin.sock');
  expect(() => execFileSync(process.execPath, ['-e', script, old])).toThrow();
  expect(existsSync(old)).toBe(true);
  socket = old;
  await start(old);
  expect(await ask('GET', '/v1/status')).toMatchObject({ status: 200 });
});

test('a socket on which a proxy answers is left alone, and named', async () => {
  await start();
  await expect(openAdminListener(socket, actions)).rejects.toThrow(`it answers on ${socket}`);
  expect(await ask('GET', '/v1/status')).toMatchObject({ status: 200 });
});

test('a file that is no socket is never removed', async () => {
  socket = path.join(folder, 'notes.txt');
  writeFileSync(socket, 'mine');
  await expect(openAdminListener(socket, actions)).rejects.toThrow('is not a socket');
  expect(existsSync(socket)).toBe(true);
});

test('a path too long for the system is refused with the way out', async () => {
  const long = path.join(folder, 'x'.repeat(100), 'admin.sock');
  await expect(openAdminListener(long, actions)).rejects.toThrow(
    /a unix socket may have 107; set admin.socket/,
  );
});

test.skipIf(process.getuid?.() === 0)('a folder that may not be made is named', async () => {
  chmodSync(folder, 0o500);
  await expect(openAdminListener(socket, actions)).rejects.toThrow(`cannot make the folder of admin.socket`);
  chmodSync(folder, 0o700);
});
