import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { launcherSettings } from '../../../src/config/launcher-settings.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { useTempFolder } from '../../support/temp-folder.ts';

const temp = useTempFolder();

/** What is hidden from servers, by names in the folder of the configuration. */
function hidden(file: string, text = ''): string[] {
  writeFileSync(path.join(temp.path, file), text);
  const loaded = loadConfig(path.join(temp.path, file), {});
  if ('problems' in loaded) throw new Error(loaded.problems[0]?.message);
  return launcherSettings(loaded.config)
    .secret()
    .map((each) => path.relative(temp.path, each))
    .sort();
}

test('what the proxy keeps, its door and its settings are hidden, whatever the settings are called', () => {
  for (const file of ['proxy.config.yaml', 'night.yaml'])
    expect(new Set(hidden(file))).toEqual(
      new Set([
        file,
        'proxy.config.yaml',
        'tenants',
        '.proxy',
        '.proxy/state',
        '.proxy/admin.sock',
        '.proxy/vault',
        '.proxy/master.key',
      ]),
    );
});

test('so is what holds variables, also when it comes later', () => {
  const before = hidden('proxy.config.yaml');
  for (const name of ['.env', '.env.local', '.envrc']) writeFileSync(path.join(temp.path, name), 'A=1');
  mkdirSync(path.join(temp.path, 'secrets'));
  writeFileSync(path.join(temp.path, 'env.txt'), '');
  const after = hidden('proxy.config.yaml');
  expect(after.filter((name) => !before.includes(name))).toEqual(['.env', '.env.local', '.envrc', 'secrets']);
});

test('and what the settings put elsewhere', () => {
  const settings = 'tenants: /srv/tenants\nadmin: { socket: /run/proxy/admin.sock }\nstate: ./kept';
  expect(hidden('proxy.config.yaml', settings)).toEqual(
    expect.arrayContaining(['kept', path.relative(temp.path, '/srv/tenants')]),
  );
});
