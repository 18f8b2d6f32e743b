import type { TenantId } from '../calls/ids.ts';
import type { Input, TenantSecrets } from '../secrets/sources.ts';
import { addressList } from '../yaml/addresses.ts';
import type { Place } from '../yaml/place.ts';
import type { Problem, Warning } from '../yaml/problem.ts';
import { readYaml } from '../yaml/read-yaml.ts';
import { overlaid } from '../yaml/without-defaults.ts';
import { type TenantDefinition, tenantDefinition } from './definition.ts';
import type { Complain, ReadingContext } from './reading.ts';
import { createServerSpec } from './server-spec.ts';
import type { Tenant } from './tenant.ts';
import { unseenPathsIn } from './warnings/tenant-warnings.ts';

/** A text of a file: `name` without its ending is the tenant's id, `file` is what problems call it. */
export interface TenantText {
  readonly name: string;
  readonly file: string;
  readonly text: string;
}

export type ReadTenant = (
  | {
      readonly ok: true;
      readonly tenant: Tenant;
      readonly places: TenantPlaces;
      readonly warnings: readonly Warning[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] }
) & {
  /** Other files this was read from: when one of them changes, it means something else. */
  readonly inputs: readonly Input[];
};

/** Where in the file stands what may yet turn out to be another tenant's. */
export interface TenantPlaces {
  readonly tenant: Place;
  readonly keys: readonly Place[];
}

/** One tenant's file, whole or not at all: a file with any problem is not taken in. */
export function readTenant({ name, file, text }: TenantText, context: ReadingContext): ReadTenant {
  const read = readYaml(text, file, tenantDefinition);
  if (!read.ok) return { ...read, inputs: [] };
  const secrets = context.secrets.of(name);
  const problems: Problem[] = [];
  const complain: Complain = (code, path, message) => {
    problems.push({ file, ...read.placeOf(path), code, message });
  };
  checkId(read.value, name, context.idPattern, complain);
  checkKeys(read.value, complain);
  const tenant = createTenant(read.value, file, { ...context, own: secrets }, complain);
  const { inputs } = secrets;
  if (problems.length > 0) return { ok: false, problems, inputs };
  const keys = tenant.keys.map((_key, index) => read.placeOf(['keys', index]));
  const sight = { folder: context.baseDir, hidden: context.hidden ?? nothing };
  const warnings = unseenPathsIn({ file, ...read }, sight);
  return { ok: true, tenant, places: { tenant: read.placeOf(['tenant']), keys }, warnings, inputs };
}

const nothing = () => [];

/** The context, with the secrets of the one tenant. */
type TenantContext = ReadingContext & { readonly own: TenantSecrets };

function createTenant(
  definition: TenantDefinition,
  file: string,
  context: TenantContext,
  complain: Complain,
): Tenant {
  const { tenant, enabled, keys } = definition;
  return Object.freeze({
    id: tenant as TenantId,
    file,
    enabled,
    keys,
    allowFrom: definition.allowFrom && addressList(definition.allowFrom),
    servers: serversOf(definition, context, complain),
    deadline: deadlineOf(definition, context, complain),
    policy: definition.policy ?? {},
  });
}

function checkId({ tenant }: TenantDefinition, name: string, pattern: RegExp, complain: Complain): void {
  if (!pattern.test(tenant)) {
    complain(
      'INVALID_TENANT',
      ['tenant'],
      `This is no tenant id: it must match ${pattern.source} (tenantIds.pattern in proxy.config.yaml)`,
    );
  } else if (tenant !== name) {
    const advice = pattern.test(name) ? `write "tenant: ${name}", or rename the file` : 'rename the file';
    complain('INVALID_TENANT', ['tenant'], `The id is not the name of the file: ${advice}`);
  }
}

function checkKeys({ keys }: TenantDefinition, complain: Complain): void {
  const names = new Set<string>();
  const digests = new Set<string>();
  for (const [index, { name, sha256 }] of keys.entries()) {
    if (names.has(name))
      complain('DUPLICATE_KEY', ['keys', index, 'name'], 'Two keys have this name; give each its own');
    if (digests.has(sha256))
      complain('DUPLICATE_KEY', ['keys', index, 'sha256'], 'This key stands here twice; take one out');
    names.add(name);
    digests.add(sha256);
  }
}

function serversOf(
  definition: TenantDefinition,
  context: TenantContext,
  complain: Complain,
): Tenant['servers'] {
  const { server, servers = {} } = definition;
  const named = Object.entries(servers);
  if ((server === undefined) === (named.length === 0)) {
    complain('INVALID_SETTING', [], 'Write either "server:" or "servers:" with at least one server under it');
    return new Map();
  }
  const all = server
    ? [{ name: 'default', path: ['server'], server }]
    : named.map(([name, each]) => ({ name, path: ['servers', name], server: each }));
  const pool = overlaid(context.defaults.pool, definition.pool);
  const { own: secrets } = context;
  return new Map(
    all.map((each) => [each.name, createServerSpec({ ...each, pool, secrets }, context, complain)] as const),
  );
}

function deadlineOf(
  { deadline: own }: TenantDefinition,
  { defaults }: ReadingContext,
  complain: Complain,
): Tenant['deadline'] {
  const deadline = overlaid(defaults.deadline, own);
  if (deadline.call > deadline.max) {
    complain(
      'INVALID_SETTING',
      ['deadline'],
      'deadline.call is longer than deadline.max; raise deadline.max too',
    );
  }
  return deadline;
}
