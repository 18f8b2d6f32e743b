import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callJson, connect } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { codeOf, type Guest, openGuest } from '../support/guest.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

/** One call to the system fails, once: what it was for comes all the same, or somebody is told, and others notice nothing. */
const folder = mkdtempSync(path.join(tmpdir(), 'mtpf-'));
const file = path.join(folder, 'fail.json');
const preload = path.resolve(import.meta.dirname, '../fixtures/failing-calls.mjs');
const env = { NODE_OPTIONS: `--import=${preload}`, FAIL_FILE: file };

const yaml = (id: string, generation: number) =>
  tenantYaml(id, 'echo', 'pool: { idle: 200ms }', { CANARY: String(generation) });
/** `skip`: so many of these calls go well first; `of`: what they must be about. */
const fail = (name: string, skip = 0, of = '') =>
  writeFileSync(file, JSON.stringify({ name, code: 'EIO', skip, of }));

afterAll(() => rmSync(folder, { recursive: true }));

describe('while it serves', () => {
  let proxy: RunningProxy;
  let neighbour: Guest;
  let generation = 0;

  beforeAll(async () => {
    const tenants = { acme: yaml('acme', 0), globex: yaml('globex', 0) };
    proxy = await startProxy({ tenants, env, config: 'workers: { sweepEvery: 50ms, stopGrace: 300ms }' });
    neighbour = await openGuest(proxy, 'globex');
  });
  afterAll(() => proxy.stop());

  /** A change of settings, and a call by which its server is seen. */
  async function change(): Promise<void> {
    const client = await connect(proxy.url, proxy.keys['acme']!);
    proxy.write('acme', yaml('acme', ++generation));
    await eventually(async () => {
      // The proxy looks by itself every ten seconds; an operator need not wait for it.
      await proxy.reload();
      const { canary } = await callJson<{ canary: string }>(client, 'whoami');
      return canary === String(generation);
    });
    await client.close();
  }

  test.each([
    ['fs.openSync', 0],
    ['fs.fstatSync', 0],
    ['fs.readSync', 0],
    ['fs.closeSync', 0],
    ['fs.statSync', 2],
    ['fs.readdirSync', 0],
    ['fs.mkdirSync', 0],
    ['fs.writeFileSync', 0],
    ['fs.renameSync', 0],
    ['fs.readFileSync', 0],
  ])('%s: new settings come into force', async (name, skip) => {
    fail(name, skip);
    proxy.signal('SIGUSR2');
    await change();
    expect(codeOf(await neighbour.call('echo', { text: 'still here' }))).toBe('ok');
    await eventually(() => !existsSync(file));
  });
});

describe('while it starts', () => {
  test('a tenants folder that cannot be read is told, and read the next time', async () => {
    fail('fs.readdirSync');
    const proxy = await startProxy({ tenants: { acme: yaml('acme', 1) }, env });
    expect(existsSync(file)).toBe(false);
    const told = await proxy.logged(({ event }) => event === 'tenant.problem');
    expect(told.msg).toContain('cannot be read: EIO');
    await proxy.reload();
    expect(codeOf(await (await openGuest(proxy, 'acme')).call('echo'))).toBe('ok');
    await proxy.stop();
  });

  test.each([
    ['fs.chmodSync', 'admin.sock', 'admin.socket'],
    ['fs.accessSync', '', 'state'],
  ])('%s: it does not start, and says what it could not do, without a stack', async (name, of, what) => {
    fail(name, 0, of);
    const said = String(await startProxy({ env }).catch((thrown: unknown) => thrown));
    expect(said).toContain('proxy serve ended with 2');
    expect(said).toMatch(new RegExp(`^proxy: .*${what}.*EIO`, 'm'));
    expect(said).not.toContain('    at ');
  });
});
