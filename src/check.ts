import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { launcherSettings } from './config/launcher-settings.ts';
import type { Config } from './config/load-config.ts';
import { type Finding, inspect } from './workers/sandbox/inspect.ts';
import type { WallsInForce } from './workers/sandbox/isolation.ts';
import { openLauncher } from './workers/sandbox/launcher.ts';

export type { Finding } from './workers/sandbox/inspect.ts';

/** What `proxy check --isolation` found: the wall in force on this machine, and what a hostile server reached behind it. */
export interface IsolationReport {
  readonly isolation: WallsInForce;
  readonly findings: readonly Finding[];
}

/**
 * Build the wall that the configuration gives on this machine, and let a hostile server try it. Needs no running proxy,
 * and disturbs none. @throws {Error} in words for an operator, if there is no wall and one is required
 */
export async function checkIsolation(config: Config): Promise<IsolationReport> {
  const { folder, tenants, state, admin } = config;
  const launcher = await openLauncher({ ...launcherSettings(config), announce: () => undefined });
  try {
    mkdirSync(path.dirname(admin.socket), { recursive: true, mode: 0o700 });
    const findings = await inspect({ launcher, folder, tenants, state, adminSocket: admin.socket });
    return { isolation: launcher.isolation, findings };
  } finally {
    await launcher.close();
  }
}
