import type { z } from 'zod';
import type { Problem } from '../yaml/problem.ts';
import { configSchema } from './config.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
type Settings = z.output<typeof configSchema>;

/** A variable of the environment that stands for one setting. */
interface Override {
  readonly section: 'listen' | 'workers' | 'sessions' | 'log';
  readonly key: string;
  /** How the text is written in YAML. */
  readonly read: (text: string) => unknown;
}

const number = (text: string) => (/^\d+$/.test(text) ? Number(text) : text);

/** Variables that say otherwise than the file does; containers and older set-ups use them. */
export const environmentOverrides: Readonly<Record<string, Override>> = {
  HOST: { section: 'listen', key: 'host', read: String },
  PORT: { section: 'listen', key: 'port', read: number },
  LOG_LEVEL: { section: 'log', key: 'level', read: (text) => text.toLowerCase() },
  /** At most so many processes for all tenants together. */
  MULTI_TENANT_POOL_SIZE: { section: 'workers', key: 'max', read: number },
  /** In milliseconds. */
  MULTI_TENANT_SESSION_TIMEOUT: { section: 'sessions', key: 'idle', read: (text) => `${text}ms` },
};

/** The settings with what the environment says; a value that may not be is a problem, named by its variable. */
export function overrideByEnvironment(
  settings: Settings,
  env: Environment,
): { readonly config: Settings } | { readonly problems: readonly Problem[] } {
  const config = structuredClone(settings);
  const problems: Problem[] = [];
  for (const [name, { section, key, read }] of Object.entries(environmentOverrides)) {
    const text = env[name];
    if (text === undefined || text === '') continue;
    const checked = configSchema.safeParse({ [section]: { [key]: read(text) } });
    if (checked.success) Object.assign(config[section], { [key]: readFrom(checked.data[section], key) });
    else problems.push(problemOf(name, checked.error.issues[0]?.message));
  }
  return problems.length > 0 ? { problems } : { config };
}

/** The place of a setting that is a variable's; undefined if the file has its word. */
export function overridingVariable(path: readonly [section: string, key: string], env: Environment) {
  const [section, key] = path;
  const found = Object.entries(environmentOverrides).find(
    ([name, each]) => each.section === section && each.key === key && (env[name] ?? '') !== '',
  );
  return found && { file: placeOf(found[0]), line: 0, column: 0 };
}

const placeOf = (name: string) => `environment variable ${name}`;
const readFrom = (section: object, key: string) => (section as Record<string, unknown>)[key];

function problemOf(name: string, message = 'this value may not be'): Problem {
  return { file: placeOf(name), line: 0, column: 0, code: 'INVALID_SETTING', message };
}
