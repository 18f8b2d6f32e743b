import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { type TenantId } from '../../src/calls/ids.ts';
import { type Child } from '../../src/workers/launch.ts';
import { type Launcher, type LauncherParts, openLauncher } from '../../src/workers/sandbox/launcher.ts';
import { type ServerSpec } from '../../src/workers/spec.ts';

export interface TestLauncher {
  readonly launch: (spec: ServerSpec, own?: Partial<LauncherParts>) => Promise<Child>;
}

/** Real processes through the real keeper, all gone after each test. One launcher for each set of settings. */
export function useLauncher(): TestLauncher {
  let state = '';
  const launchers = new Map<string, Promise<Launcher>>();
  const launched: Child[] = [];
  beforeAll(() => {
    state = mkdtempSync(path.join(tmpdir(), 'mtp-state-'));
  });
  afterEach(async () => {
    for (const child of launched) child.signalGroup('SIGKILL');
    await Promise.all(launched.splice(0).map(({ exit }) => exit));
  });
  afterAll(async () => {
    for (const launcher of launchers.values()) await (await launcher).close();
    rmSync(state, { recursive: true, force: true });
  });
  return {
    async launch(spec, own = {}) {
      const key = JSON.stringify(own);
      const parts: LauncherParts = {
        ...{ mode: 'none', state, folder: state, secret: () => [], passEnv: [], announce: () => undefined },
        limits: { memory: 4 * 1024 ** 3, processes: 512, files: 4096 },
        cgroups: 'auto',
        ...own,
      };
      const launcher = launchers.get(key) ?? openLauncher(parts);
      launchers.set(key, launcher);
      const child = await (await launcher).launch(spec, 'acme' as TenantId);
      launched.push(child);
      return child;
    },
  };
}
