import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Config } from './config.ts';

/** What the configuration says of how servers are started, and behind which wall. */
export function launcherSettings(config: Config) {
  const { folder, state, workers } = config;
  return {
    ...{ folder, state, mode: workers.isolation, limits: workers.limits, passEnv: workers.passEnv },
    cgroups: workers.cgroups,
    /** Looked up anew for each server, because files come and go. */
    secret: () => hiddenFrom(config),
  };
}

/** What no server may see, whatever folder it is in: absolute paths. */
export function hiddenFrom({ file, folder, tenants, state, admin, secrets }: Config): string[] {
  const all = [
    file,
    tenants,
    state,
    ...withOwnFolder(admin.socket, folder),
    ...withOwnFolder(secrets.vault, folder),
    ...('file' in secrets.masterKey ? [secrets.masterKey.file] : []),
    ...filesOf(folder).map((name) => path.join(folder, name)),
  ];
  return [...new Set(all)];
}

/** A folder that is made for one thing is hidden with it, so that what comes into it later is hidden too. */
function withOwnFolder(file: string, folder: string): string[] {
  const own = path.dirname(file);
  const isOwn = own.startsWith(`${folder}/`);
  return isOwn ? [own, file] : [file];
}

/** What holds variables for the proxy, and settings it may have been started with at another time. */
function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /^(?:\.env.*|secrets|proxy\.config\.ya?ml)$/.test(name));
  } catch {
    return [];
  }
}
