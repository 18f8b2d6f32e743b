import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Problem } from '../yaml/problem.ts';
import { readYaml } from '../yaml/read-yaml.ts';
import { type Config, configSchema } from './config.ts';
import { type Environment, overrideByEnvironment } from './environment.ts';

export type { Config } from './config.ts';

/** What came of reading the configuration. */
export type LoadedConfig = { readonly config: Config } | { readonly problems: readonly Problem[] };

/** What is read where no file is named; it need not be there. */
export const defaultConfigFile = 'proxy.config.yaml';

/**
 * Read the proxy's settings: the file, then what the environment says otherwise (`PORT`, `LOG_LEVEL`, …).
 * Never throws; a file that is named and not there is a problem like any other.
 */
export function loadConfig(file = defaultConfigFile, env: Environment = process.env): LoadedConfig {
  const read = readText(file);
  if ('problem' in read) return { problems: [read.problem] };
  const parsed = readYaml(read.text, file, configSchema);
  if (!parsed.ok) return parsed;
  const overridden = overrideByEnvironment(parsed.value, env);
  if ('problems' in overridden) return overridden;
  const folder = path.dirname(path.resolve(file));
  const { config } = overridden;
  return {
    config: {
      ...config,
      tenants: path.resolve(folder, config.tenants),
      state: path.resolve(folder, config.state),
      admin: { ...config.admin, socket: path.resolve(folder, config.admin.socket) },
      folder,
    },
  };
}

function readText(file: string): { text: string } | { problem: Problem } {
  try {
    return { text: readFileSync(file, 'utf8') };
  } catch (thrown) {
    const code = (thrown as { code?: string }).code ?? 'unknown error';
    if (code === 'ENOENT' && file === defaultConfigFile) return { text: '' };
    const message =
      code === 'ENOENT'
        ? 'There is no such file; name another with --config, or leave it out to run with the defaults'
        : `It cannot be read: ${code}; look at its owner and mode`;
    return { problem: { file, line: 0, column: 0, code: 'UNREADABLE', message } };
  }
}
