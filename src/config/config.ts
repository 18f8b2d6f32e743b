import { z } from 'zod';
import { adminShape } from '../admin/settings.ts';
import { defaultTenantIdPattern } from '../calls/ids.ts';
import { limitsShape, listenShape } from '../http/settings.ts';
import { logShape } from '../logging/settings.ts';
import { secretsShape } from '../secrets/settings.ts';
import type { SecretSettings } from '../secrets/open-sources.ts';
import { sessionsShape } from '../sessions/settings.ts';
import { deadlineShape, tenantsFolder } from '../tenants/definition.ts';
import { poolSettings } from '../workers/spec.ts';
import { workersShape } from '../workers/settings.ts';

/** A section that may be left out, and then is as its defaults have it. */
const section = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape).prefault({} as z.input<z.ZodObject<Shape, z.core.$strict>>);

/** `proxy.config.yaml`, put together from the owners of its parts. Every key has a default; an empty file is a sound one. */
export const configSchema = z.strictObject({
  listen: section(listenShape),
  tenants: tenantsFolder,
  /** What the proxy itself keeps from one run to the next; made with mode 0700, read by nobody else. */
  state: z.string().min(1).default('./.proxy/state'),
  admin: section(adminShape),
  secrets: section(secretsShape),
  workers: section(workersShape),
  sessions: section(sessionsShape),
  limits: section(limitsShape),
  /** For every tenant that does not say otherwise. */
  defaults: z
    .strictObject({
      pool: poolSettings
        .refine(({ min, max }) => min <= max, { path: ['min'], error: 'this is more than defaults.pool.max' })
        .prefault({}),
      deadline: z
        .strictObject(deadlineShape)
        .refine(({ call, max }) => call <= max, 'call is longer than max; raise max too')
        .prefault({}),
    })
    .prefault({}),
  log: section(logShape),
  tenantIds: section({
    /** A regular expression for the whole id. */
    pattern: z.string().refine(isPattern, 'write a regular expression').default(defaultTenantIdPattern),
  }),
});

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

/** The settings of a proxy, read and complete. Paths are absolute. */
export type Config = Omit<z.output<typeof configSchema>, 'secrets'> & {
  readonly secrets: SecretSettings;
  /** Absolute: the configuration file; it need not be there. */
  readonly file: string;
  /** Absolute: the folder of the configuration file, which relative paths in all files are relative to. */
  readonly folder: string;
};
