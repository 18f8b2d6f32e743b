import { createHash } from 'node:crypto';
import { type TenantRecord } from '../../src/tenants/claims.ts';
import { type TenantDefaults } from '../../src/tenants/definition.ts';
import { readTenant } from '../../src/tenants/read-tenant.ts';
import { type ReadingContext } from '../../src/tenants/reading.ts';
import { type Secret } from '../../src/secrets/secret.ts';
import { createSecretSources, type SecretSources, type VaultReader } from '../../src/secrets/sources.ts';
import { type Tenant } from '../../src/tenants/tenant.ts';
import { poolSettings } from '../../src/workers/spec.ts';

export const tenantDefaults: TenantDefaults = {
  pool: poolSettings.parse({}),
  deadline: { call: 60_000, max: 300_000 },
};

const emptyVault: VaultReader = {
  prepare: () => Promise.resolve(),
  find: (tenantId, name) => ({
    ok: false,
    trouble: { code: 'MISSING_SECRET', message: `the vault has no ${name} of ${tenantId}` },
  }),
  inputOf: () => undefined,
};

/** Secrets that come from these variables, and from files. */
export const secretsFrom = (
  lookup: (name: string) => string | undefined,
  baseDir = '/srv/proxy',
): SecretSources => createSecretSources({ lookup, baseDir, vault: emptyVault });

/** What a child would see. */
export const revealed = (env: Readonly<Record<string, Secret>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(env).map(([name, secret]) => [name, secret.reveal()]));

export const readingContext: ReadingContext = {
  baseDir: '/srv/proxy',
  defaults: tenantDefaults,
  idPattern: /^[a-z0-9_-]{1,63}$/,
  secrets: secretsFrom((name) => ({ TOKEN: 's3cr3t-token', EMPTY: '' })[name]),
};

export const sha256Of = (key: string): string => createHash('sha256').update(key).digest('hex');

/** A tenant's file: `keys` are names of keys, each of which is its own secret; `more` is put at the end. */
export function tenantText(id: string, keys: readonly string[] = [], more = ''): string {
  const entries = keys.map((key) => `  - { name: "${key}", sha256: ${sha256Of(key)} }\n`).join('');
  const list = entries === '' ? 'keys: []\n' : `keys:\n${entries}`;
  return `tenant: ${id}\n${list}server: { command: node }\n${more}`;
}

/** What a look at the folder makes of a file. `text` that is undefined is a file that is broken by itself. */
export function someRecord(name: string, text: string | undefined): TenantRecord {
  const places = { tenant: { line: 0, column: 0 }, keys: [] };
  const base = {
    name,
    file: `tenants/${name}`,
    signature: text ?? '',
    inputs: [],
    problems: [],
    warnings: [],
  };
  if (text === undefined) return { ...base, candidate: undefined, places };
  const id = name.replace(/\.ya?ml$/, '');
  const read = readTenant({ name: id, file: base.file, text }, readingContext);
  if (!read.ok) throw new Error(`A sound text was meant: ${JSON.stringify(read.problems)}`);
  return { ...base, candidate: read.tenant, places: read.places };
}

export function someTenant(id: string, keys: readonly string[] = [], more = ''): Tenant {
  return someRecord(`${id}.yaml`, tenantText(id, keys, more)).candidate!;
}
