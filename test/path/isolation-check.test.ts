import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Finding } from '../../src/check.ts';
import { attempts } from '../../src/workers/sandbox/intrusion.ts';
import { type Setting, settingFolder, settings, spawnedAs } from '../support/tiers.ts';

/** A hostile server is let loose behind each wall, by the command that operators have for it. */
const cli = path.resolve('dist/cli/main.js');
const folders: string[] = [];

interface Report {
  readonly ok: boolean;
  readonly isolation: { readonly tier: string; readonly reason?: string };
  readonly findings: readonly Finding[];
}

async function check(
  setting: Setting,
  ...flags: string[]
): Promise<{ code: number; out: string; folder: string }> {
  const folder = settingFolder(setting);
  folders.push(folder);
  const { PATH, ...user } = spawnedAs(setting);
  mkdirSync(path.join(folder, 'tenants'));
  writeFileSync(path.join(folder, 'tenants', 'acme.yaml'), 'tenant: acme\nserver: { use: demo }\n');
  // As the advice has it that is given where modes are all there is.
  if (setting.tier === 'uid per tenant') chmodSync(path.join(folder, 'tenants'), 0o700);
  writeFileSync(path.join(folder, '.env'), 'ACME_TOKEN=not-for-servers\n', { mode: 0o600 });
  writeFileSync(path.join(folder, 'proxy.config.yaml'), `workers: { isolation: ${setting.isolation} }\n`, {
    mode: 0o600,
  });
  if (setting.uid !== undefined) await give(folder, setting.uid);
  const args = [cli, 'check', '--isolation', ...flags];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { cwd: folder, env: { PATH, HOME: folder }, ...user },
      (error, out, err) => {
        resolve({ code: Number(error?.code ?? 0), out: out + err, folder });
      },
    );
  });
}

async function give(folder: string, uid: number): Promise<void> {
  await new Promise((resolve) => execFile('chown', ['-R', `${uid}:${uid}`, folder], resolve));
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

for (const { name, missing } of settings)
  if (missing !== undefined) test.skip(`proxy check --isolation: ${name} (${missing})`, () => undefined);

describe.each(settings.filter(({ missing }) => missing === undefined))('$name', (setting) => {
  test('a hostile server reaches nothing that its wall promises to refuse', async () => {
    const { code, out, folder } = await check(setting, '--json');
    const { ok, isolation, findings } = JSON.parse(out) as Report;
    expect(isolation.tier).toBe(setting.tier);
    expect(findings.filter(({ promised, reached }) => promised && reached)).toEqual([]);
    expect({ ok, code }).toEqual({ ok: true, code: 0 });
    expect(findings.map(({ attempt }) => attempt)).toEqual([...attempts, 'loopback-none', 'loopback-listed']);
    // A test that cannot fail proves nothing: the same tries do reach what is not behind a wall.
    const open = findings.filter(({ reached }) => reached).map(({ attempt }) => attempt);
    if (setting.tier === 'process only') {
      const known: Finding['attempt'][] = [
        'other-environment',
        'other-signal',
        'tenants-read',
        'scrubbed-daemon',
        'processes',
      ];
      expect(open).toEqual(expect.arrayContaining(known));
    } else {
      expect(
        open.filter((attempt) => !['loopback', 'shared-tmp', 'loopback-none'].includes(attempt)),
      ).toEqual([]);
    }
    if (setting.tier === 'bubblewrap') expect(open).toEqual(['loopback']);
    expect(readdirSync(path.join(folder, 'tenants'))).toEqual(['acme.yaml']);
  }, 60_000);
});

test('people get a table, and a wall that is not there is said, with what to do', async () => {
  const { code, out } = await check({ ...settings[0]!, isolation: 'none' });
  expect(code).toBe(0);
  expect(out).toContain('isolation: process only');
  expect(out).toContain('no stronger wall: workers.isolation is none');
  expect(out).toMatch(/read another tenant's environment in \/proc +could +no +open/);
  expect(out).toMatch(/\d+ promises kept, 0 broken; \d+ not promised and reached/);
}, 60_000);

const bare = settings.find(({ tier }) => tier === 'process only')!;
test.skipIf(bare.missing !== undefined)(
  'a wall that is required and cannot be had is a problem',
  async () => {
    const { code, out } = await check({ ...bare, isolation: 'required' });
    expect(code).toBe(1);
    expect(out).toContain(
      'workers.isolation is required, and no wall works here: bubblewrap is not installed',
    );
  },
);
