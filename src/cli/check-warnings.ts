import path from 'node:path';
import type { Config } from '../config/load-config.ts';
import { exposureOf } from '../files/exposure.ts';
import { isCredentialName } from '../secrets/secret-names.ts';
import { listTenantFiles, readTenantFile, shownPath } from '../tenants/tenant-file.ts';
import { hiddenFrom } from '../config/launcher-settings.ts';
import { mountedFilesIn, warningsIn } from '../tenants/warnings/tenant-warnings.ts';
import { tenantsInVault, vaultPath } from '../secrets/vault/vault-file.ts';
import type { Warning, WarningCode } from '../yaml/problem.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** All that works, and that an operator would rather not have. */
export function warningsFor(configFile: string, config: Config, env: Environment): readonly Warning[] {
  return [
    ...configWarnings(configFile, config),
    ...tenantsWarnings(config),
    ...vaultWarnings(config),
    ...environmentWarnings(config, env),
  ];
}

function configWarnings(configFile: string, { workers: { passEnv } }: Config): Warning[] {
  const passed = passEnv
    .filter(isCredentialName)
    .map((name) =>
      warning(
        configFile,
        'SHARED_CREDENTIAL',
        `workers.passEnv gives ${name} to the servers of every tenant; name it in the env of those that need it: \${${name}}`,
      ),
    );
  return [...writable(configFile), ...passed];
}

function tenantsWarnings(config: Config): Warning[] {
  const { tenants } = config;
  const listed = listTenantFiles(tenants, shownPath(tenants));
  if ('problem' in listed) return [];
  const files = listed.names.map((name) => path.join(tenants, name));
  return [...writable(tenants), ...files.flatMap((file) => tenantWarnings(file, config))];
}

function tenantWarnings(file: string, ground: Config): Warning[] {
  const shown = shownPath(file);
  const content = readTenantFile(file, shown);
  if ('problem' in content) return [];
  const mounted = [
    ...new Set(mountedFilesIn(content.text).map((written) => path.resolve(ground.folder, written))),
  ];
  return [
    ...writable(file),
    ...readable(file, 'what it says of keys and credentials is for the proxy alone: chmod o-r'),
    ...mounted.flatMap((each) => readable(each, 'a secret is in it: chmod o-r')),
    ...warningsIn(content.text, shown, { ...ground, hidden: () => hiddenFrom(ground) }),
  ];
}

function vaultWarnings({ secrets: { vault, masterKey } }: Config): Warning[] {
  const keyFile = 'file' in masterKey ? [masterKey.file] : [];
  const advice = 'chmod 600';
  return [
    ...keyFile.flatMap((file) => [
      ...readable(file, `the master key is in it: ${advice}`),
      ...writable(file),
    ]),
    ...vaultTenants(vault).flatMap((id) =>
      readable(vaultPath(vault, id), `sealed secrets are in it: ${advice}`),
    ),
    ...writable(vault),
  ];
}

function vaultTenants(vault: string): string[] {
  try {
    return tenantsInVault(vault);
  } catch {
    return [];
  }
}

/** What single-tenant servers are set up with; a proxy's tenants have their own. */
const globalNames = ['AUTOTASK_USERNAME', 'AUTOTASK_SECRET', 'AUTOTASK_INTEGRATION_CODE'];

function environmentWarnings({ tenants, workers: { passEnv } }: Config, env: Environment): Warning[] {
  const left = globalNames.filter((name) => (env[name] ?? '') !== '' && !passEnv.includes(name));
  if (left.length === 0) return [];
  const texts = tenantTexts(tenants);
  return left
    .filter((name) => !texts.some((text) => text.includes(`\${${name}`)))
    .map((name) =>
      warning(
        `environment variable ${name}`,
        'SHARED_CREDENTIAL',
        'It is set where the proxy runs and reaches no server: each tenant has credentials of its own; take it out',
      ),
    );
}

function tenantTexts(folder: string): string[] {
  const listed = listTenantFiles(folder, folder);
  const names = 'names' in listed ? listed.names : [];
  return names.map((name) => {
    const content = readTenantFile(path.join(folder, name), name);
    return 'text' in content ? content.text : '';
  });
}

function readable(file: string, advice: string): Warning[] {
  if (exposureOf(file)?.isReadable !== true) return [];
  return [
    warning(
      file,
      'READABLE_BY_OTHERS',
      `Every user of this machine can read it, and ${advice} ${shownPath(file)}`,
    ),
  ];
}

function writable(file: string): Warning[] {
  if (exposureOf(file)?.isWritable !== true) return [];
  return [
    warning(
      file,
      'WRITABLE_BY_OTHERS',
      `Others than its owner can change it, and so what the proxy runs: chmod go-w ${shownPath(file)}`,
    ),
  ];
}

function warning(file: string, code: WarningCode, message: string): Warning {
  const shown = path.isAbsolute(file) ? shownPath(file) : file;
  return { file: shown, line: 0, column: 0, code, message };
}
