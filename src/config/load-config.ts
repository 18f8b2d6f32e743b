import path from 'node:path';
import { readRegularFile } from '../files/read-regular-file.ts';
import { masterKeySource } from '../secrets/settings.ts';
import { decodeText } from '../yaml/decode.ts';
import type { Problem } from '../yaml/problem.ts';
import { readYaml } from '../yaml/read-yaml.ts';
import { type Config, configSchema } from './config.ts';
import { type Environment, overrideByEnvironment, overridingVariable } from './environment.ts';

export type { Config } from './config.ts';

/** What came of reading the configuration. */
export type LoadedConfig = SoundConfig | { readonly problems: readonly Problem[] };

export interface SoundConfig {
  readonly config: Config;
  /** Where a setting was said, for what only a look at the machine can find wrong. */
  readonly placeOf: (
    path: readonly [section: string, key: string],
  ) => Pick<Problem, 'file' | 'line' | 'column'>;
}

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
  const whole = path.resolve(file);
  const folder = path.dirname(whole);
  const { config } = overridden;
  return {
    config: {
      ...config,
      tenants: path.resolve(folder, config.tenants),
      state: path.resolve(folder, config.state),
      secrets: {
        ...config.secrets,
        vault: path.resolve(folder, config.secrets.vault),
        masterKey: masterKeySource(config.secrets.masterKey, folder),
      },
      admin: { ...config.admin, socket: path.resolve(folder, config.admin.socket) },
      file: whole,
      folder,
    },
    placeOf: (path) => overridingVariable(path, env) ?? { file, ...parsed.placeOf(path) },
  };
}

/** Nobody's settings are longer. */
const maxFileBytes = 1024 ** 2;

function readText(file: string): { text: string } | { problem: Problem } {
  const read = readRegularFile(file, maxFileBytes);
  if (read.ok) return decodeText(read.bytes, file);
  const problem = (code: Problem['code'], message: string) => ({
    problem: { file, line: 0, column: 0, code, message },
  });
  const { reason } = read;
  if (reason === 'ENOENT' && file === defaultConfigFile) return { text: '' };
  if (reason === 'too big') return problem('TOO_BIG', 'It is larger than 1 MiB');
  if (reason === 'no file') return problem('UNREADABLE', 'It is no regular file');
  return problem(
    'UNREADABLE',
    reason === 'ENOENT'
      ? 'There is no such file; name another with --config, or leave it out to run with the defaults'
      : `It cannot be read: ${reason}; look at its owner and mode`,
  );
}
