import { execFileSync, spawnSync } from 'node:child_process';
import { constants, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callJson, connect } from '../support/clients.ts';
import { runCommand, type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

const modulePath =
  ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib64/pkcs11/libsofthsm2.so'].find(existsSync) ?? '';
const isThere =
  modulePath !== '' &&
  ['softhsm2-util', 'pkcs11-tool'].every((tool) => spawnSync(tool, ['--help']).error === undefined);

/** A real token in software: the key that opens the master key never leaves it. */
describe.skipIf(!isThere)('an HSM (needs the packages softhsm2 and opensc)', () => {
  let folder: string;
  let proxy: RunningProxy;
  const env = () => ({
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    SOFTHSM2_CONF: path.join(folder, 'softhsm2.conf'),
    HSM_PIN: '1234',
  });
  const run = (command: string, ...args: string[]) =>
    execFileSync(command, args, { env: env(), stdio: ['ignore', 'pipe', 'pipe'] });
  const pkcs11 = (...args: string[]) => run('pkcs11-tool', '--module', modulePath, ...args);
  const login = ['--login', '--pin', 'env:HSM_PIN'];
  const sealedFile = () => path.join(folder, 'master.key.sealed');
  /** What the configuration's `command` does. */
  const opening = () => [
    'pkcs11-tool',
    ...['--module', modulePath, ...login, '--decrypt', '--mechanism', 'RSA-PKCS-OAEP'],
    ...['--hash-algorithm', 'SHA-1', '--id', '01', '--input-file', sealedFile()],
  ];
  const sealKeys = (...keys: readonly string[]) => {
    const key = createPublicKey({
      key: readFileSync(path.join(folder, 'public.der')),
      format: 'der',
      type: 'spki',
    });
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    writeFileSync(
      sealedFile(),
      publicEncrypt({ key, padding, oaepHash: 'sha1' }, Buffer.from(keys.join('\n'))),
    );
  };
  const secret = (...args: readonly string[]) =>
    runCommand(['secret', ...args, '--config', proxy.configFile], {
      cwd: proxy.dir,
      env: env(),
      input: 'from-the-hsm',
    });

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'mtp-hsm-'));
    mkdirSync(path.join(folder, 'tokens'));
    writeFileSync(
      path.join(folder, 'softhsm2.conf'),
      `directories.tokendir = ${folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n`,
    );
    run('softhsm2-util', '--init-token', '--free', '--label', 'proxy', '--so-pin', '0000', '--pin', '1234');
    pkcs11(...login, '--keypairgen', '--key-type', 'rsa:2048', '--id', '01', '--label', 'master');
    pkcs11('--read-object', '--type', 'pubkey', '--id', '01', '-o', path.join(folder, 'public.der'));
    proxy = await startProxy({
      env: env(),
      config: `secrets: { masterKey: { command: ${JSON.stringify(opening())} } }`,
      tenants: { acme: tenantYaml('acme', 'echo', '', { API_TOKEN: '${vault:API_TOKEN}' }) },
    });
  }, 60_000);
  afterAll(async () => {
    await proxy.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('opens the master key for the command and for the proxy, and a rotation needs no restart', async () => {
    const [old, fresh] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
    sealKeys(old);
    expect(await secret('set', 'acme', 'API_TOKEN')).toMatchObject({ code: 0 });
    const client = await connect(proxy.url, proxy.keys['acme']!);
    expect(await callJson(client, 'env', { name: 'API_TOKEN' })).toBe('from-the-hsm');
    sealKeys(fresh, old);
    expect(await secret('rotate')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^1 secret sealed anew/) as string,
    });
    sealKeys(fresh);
    await proxy.run('reload');
    expect((await proxy.status()).problems).toEqual([]);
    expect(await proxy.run('check')).toMatchObject({ code: 0 });
    // Neither the keys nor the value are anywhere beside the proxy.
    const files = readdirSync(path.join(proxy.dir, '.proxy'), { recursive: true, encoding: 'utf8' });
    expect(files.toSorted()).toEqual(expect.arrayContaining(['vault', 'vault/acme.json']));
    expect(files).not.toContain('master.key');
  });

  test('that does not answer locks the vault, says how to find out why, and quotes nothing of it', async () => {
    sealKeys(randomBytes(32).toString('base64'));
    writeFileSync(sealedFile(), 'no sealed key at all');
    const { code, err } = await secret('set', 'acme', 'OTHER');
    expect(code).toBe(1);
    expect(err).toMatch(/command pkcs11-tool that fetches the master key failed \(1\); run it by hand/);
  });
});
