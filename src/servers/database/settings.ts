import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { type Settings } from '../kit/environment.ts';
import { connectionVariables, type environment, type SslMode } from './environment.ts';
import { type QuotaLimits } from './quota.ts';
import { SetupProblem } from './setup-problem.ts';
import { defaultSchema, type Relation } from './tenant-uri.ts';
import { readTenantConfig, type TenantConfig } from './tenant-config.ts';

/** A tenant's database, and what may be asked of it. */
export interface DatabaseSettings {
  readonly tenantId: string;
  readonly connection: Connection;
  /** Where tables may be; the first is where an unqualified name is looked for. */
  readonly schemas: readonly string[];
  /** Tables that may be used beside the one a URI names. */
  readonly allowedRelations: readonly Relation[] | 'all';
  readonly allowedFunctions: ReadonlySet<string>;
  readonly allowedTypes: ReadonlySet<string>;
  readonly allowWritableRole: boolean;
  readonly limits: Limits;
  readonly quota: QuotaLimits & { readonly folder: string };
  readonly features: TenantConfig['features'];
}

export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly user: string;
  readonly password: string;
  readonly ssl: false | ConnectionOptions;
}

export interface Limits {
  readonly timeoutMs: number;
  readonly maxRows: number;
  readonly maxResultBytes: number;
  readonly maxCellChars: number;
  readonly maxConnections: number;
}

export interface ReadSettings {
  readonly database: DatabaseSettings;
  /** To be masked wherever text leaves the process. */
  readonly secrets: readonly string[];
  /** Variables that were only needed here. */
  readonly variables: readonly string[];
}

type Raw = Settings<typeof environment>;
type Texts = Readonly<Record<string, string | undefined>>;

/** What a tenant's id must be whatever the pattern says, or it could not stand in a URI. */
const writableId = /^[A-Za-z0-9_-]{1,64}$/;
/** Of every PostgreSQL: what is in them is nobody's data. */
const systemSchema = /^(?:pg_.*|information_schema)$/;

/**
 * Both forms the settings come in, made one.
 * @throws {SetupProblem}
 */
export async function readSettings(raw: Raw, env: Texts): Promise<ReadSettings> {
  const { tenantId } = raw;
  checkTenantId(tenantId, raw.tenantIdPattern);
  const system = raw.schemas.find((schema) => systemSchema.test(schema));
  if (system !== undefined)
    throw new SetupProblem('INVALID_SETTING', `DB_SCHEMAS: ${system} is PostgreSQL’s own`);
  const { config, variables } = raw.configDir === undefined ? fromVariables(raw) : await fromFile(raw, env);
  const { quotas, features } = config;
  const database: DatabaseSettings = {
    tenantId,
    connection: {
      host: config.db_host,
      port: config.db_port,
      name: config.db_name,
      user: config.db_user,
      password: config.db_password,
      ssl: await sslOptions(config.db_sslmode ?? defaultSslMode(config.db_host), raw.sslRootCert),
    },
    schemas: raw.schemas,
    allowedRelations: raw.allowedRelations.includes('*') ? 'all' : raw.allowedRelations.map(relationOf),
    allowedFunctions: new Set(raw.allowedFunctions),
    allowedTypes: new Set(raw.allowedTypes),
    allowWritableRole: raw.allowWritableRole,
    limits: {
      timeoutMs: raw.timeoutMs,
      maxRows: raw.maxRows,
      maxResultBytes: raw.maxResultBytes,
      maxCellChars: raw.maxCellChars,
      maxConnections: raw.maxConnections ?? quotas.max_concurrent_connections ?? 5,
    },
    quota: {
      perHour: raw.maxQueriesPerHour ?? quotas.max_queries_per_hour,
      perDay: raw.maxQueriesPerDay ?? quotas.max_queries_per_day,
      folder: quotaFolderOf(raw, config),
    },
    features,
  };
  return { database, secrets: [config.db_password, ...Object.values(config.api_keys)], variables };
}

function checkTenantId(tenantId: string, pattern: string): void {
  let rule: RegExp;
  try {
    rule = new RegExp(`^(?:${pattern})$`);
  } catch {
    throw new SetupProblem('INVALID_SETTING', 'TENANT_ID_PATTERN is no regular expression');
  }
  if (!writableId.test(tenantId) || !rule.test(tenantId))
    throw new SetupProblem(
      'INVALID_TENANT',
      `TENANT_ID must match ${pattern}, by default 6 to 20 letters, digits and _; TENANT_ID_PATTERN sets another rule`,
    );
}

interface Found {
  readonly config: TenantConfig;
  readonly variables: readonly string[];
}

async function fromFile(raw: Raw, env: Texts): Promise<Found> {
  const { configDir = '', tenantId } = raw;
  // Two places for one thing: whoever changes one of them would wonder why nothing happens.
  const both = keysOfConnection.find((key) => raw[key] !== undefined);
  if (both !== undefined) {
    const [name] = connectionVariables[both].names;
    throw new SetupProblem('INVALID_SETTING', `${name} and TENANT_CONFIG_DIR are both set; keep one`);
  }
  return readTenantConfig(configDir, tenantId, env);
}

const keysOfConnection = Object.keys(connectionVariables) as (keyof typeof connectionVariables)[];

function fromVariables({ tenantId, host, port, name, user, password, sslMode }: Raw): Found {
  if (host === undefined || name === undefined || user === undefined || password === undefined)
    throw new SetupProblem(
      'TENANT_NOT_CONFIGURED',
      'set DB_HOST, DB_NAME, DB_USER and DB_PASSWORD, or TENANT_CONFIG_DIR with a JSON file for this tenant',
    );
  const config: TenantConfig = {
    ...{ tenant_id: tenantId, db_host: host, db_port: port ?? 5432, db_name: name, db_user: user },
    ...{ db_password: password, db_sslmode: sslMode, api_keys: {}, quotas: {}, features: {} },
  };
  return { config, variables: [] };
}

/** Encrypted and proved, unless it stays on this machine. */
function defaultSslMode(host: string): SslMode {
  return /^(?:localhost|127(?:\.\d+){3}|::1|\/.*)$/.test(host) ? 'disable' : 'verify-full';
}

async function sslOptions(mode: SslMode, rootCert: string | undefined): Promise<false | ConnectionOptions> {
  if (mode === 'disable') return false;
  // Encrypted, but to whomever: for servers whose certificate nobody can check.
  if (mode === 'require') return { rejectUnauthorized: false };
  if (rootCert === undefined) return { rejectUnauthorized: true };
  try {
    return { rejectUnauthorized: true, ca: await readFile(rootCert, 'utf8') };
  } catch {
    throw new SetupProblem('INVALID_SETTING', 'DB_SSLROOTCERT: the file cannot be read');
  }
}

/** One for each tenant's database, of this user alone, like the tokens of other servers. */
function quotaFolderOf({ tenantId, quotaFolder }: Raw, { db_host, db_port, db_name }: TenantConfig): string {
  const all = quotaFolder ?? path.join(homedir(), '.cache', 'mcp-tenant-proxy', 'database');
  const whose = createHash('sha256').update(JSON.stringify([tenantId, db_host, db_port, db_name]));
  return path.join(all, whose.digest('hex').slice(0, 32));
}

/** `orders`, or `sales.orders`. */
function relationOf(written: string): Relation {
  const dot = written.indexOf('.');
  return dot < 0
    ? { schema: defaultSchema, name: written }
    : { schema: written.slice(0, dot), name: written.slice(dot + 1) };
}
