import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { SetupProblem } from './setup-problem.ts';
import { sslModes } from './environment.ts';

const port = z.coerce.number().int().min(1).max(65_535);
const count = z.int().min(1);

/** A tenant's database as a JSON file has it, once `${NAME}` is filled in. */
const tenantConfig = z.strictObject({
  tenant_id: z.string(),
  db_host: z.string().min(1),
  db_port: port.default(5432),
  db_name: z.string().min(1),
  db_user: z.string().min(1),
  // An empty one would be looked for in ~/.pgpass, where another tenant's may stand.
  db_password: z.string().min(1),
  db_sslmode: z.enum(sslModes).optional(),
  /** Other services' keys that stand in the same file; nothing here uses or shows them. */
  api_keys: z.record(z.string(), z.string()).default({}),
  quotas: z
    .strictObject({
      max_queries_per_hour: count.optional(),
      max_queries_per_day: count.optional(),
      max_concurrent_connections: count.max(100).optional(),
    })
    .default({}),
  features: z.record(z.string(), z.boolean()).default({}),
});
export type TenantConfig = z.output<typeof tenantConfig>;

export interface ReadConfig {
  readonly config: TenantConfig;
  /** Names of the variables it was filled in from. */
  readonly variables: readonly string[];
}

type Texts = Readonly<Record<string, string | undefined>>;

/**
 * `{folder}/{tenantId}.json`. Values are never quoted in what goes wrong.
 * @throws {SetupProblem}
 */
export async function readTenantConfig(folder: string, tenantId: string, env: Texts): Promise<ReadConfig> {
  const file = path.join(folder, `${tenantId}.json`);
  const variables = new Set<string>();
  const missing = new Set<string>();
  const filled = fillIn(await readJson(file), (name, fallback) => {
    variables.add(name);
    const value = env[name] ?? fallback;
    if (value === undefined) missing.add(name);
    return value ?? '';
  });
  if (missing.size > 0)
    throw new SetupProblem('MISSING_VARIABLE', `${file} names ${[...missing].join(', ')}, not set here`);
  const { data, error } = tenantConfig.safeParse(filled);
  if (!data) {
    const issues = error.issues.map(
      ({ path: place, code }) => `${place.map(String).join('.') || 'the file'} (${code})`,
    );
    throw new SetupProblem(
      'INVALID_SETTING',
      `${file}: these are missing, unknown or wrong: ${issues.join(', ')}`,
    );
  }
  if (data.tenant_id !== tenantId)
    throw new SetupProblem('INVALID_TENANT', `${file} has another tenant_id than its name`);
  return { config: data, variables: [...variables] };
}

async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT' ? 'is not there' : `cannot be read (${code ?? 'unknown'}): look at its permissions`;
    throw new SetupProblem('TENANT_NOT_CONFIGURED', `${file} ${why}`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new SetupProblem('INVALID_SETTING', `${file} is not JSON`);
  }
}

/** `${NAME}` or `${NAME:default}`; what comes out of a variable is not looked at again. */
const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::([^}]*))?\}/g;

function fillIn(value: unknown, lookUp: (name: string, fallback: string | undefined) => string): unknown {
  if (typeof value === 'string')
    return value.replace(reference, (_, name: string, fallback?: string) => lookUp(name, fallback));
  if (Array.isArray(value)) return value.map((each) => fillIn(each, lookUp));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fillIn(each, lookUp)]));
}
