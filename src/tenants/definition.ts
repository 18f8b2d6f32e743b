import { z } from 'zod';
import { keyEntry } from '../auth/api-key.ts';
import type { Deadline } from '../calls/call.ts';
import { type PoolSettings, poolShape, serverShape } from '../workers/spec.ts';
import { addresses } from '../yaml/addresses.ts';
import { duration } from '../yaml/duration.ts';
import { withoutDefaults } from '../yaml/without-defaults.ts';

/** How long calls may take: `call` without a sign of progress, `max` in all. Every key has a default. */
export const deadlineShape = {
  call: duration(1).default(60_000),
  max: duration(1).default(300_000),
};

/** `tenants:` in proxy.config.yaml: the folder that is watched, with one file for each tenant. */
export const tenantsFolder = z.string().min(1).default('./tenants');

/** What holds for a tenant that does not say otherwise. */
export interface TenantDefaults {
  readonly pool: PoolSettings;
  readonly deadline: Deadline;
}

// A key left out here means "as in `defaults` of proxy.config.yaml", not the schema's own default.
const pool = z.strictObject(withoutDefaults(poolShape)).optional();
const server = z.strictObject({ ...serverShape, pool });
const serverName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'name it with lower-case letters, digits, "-" and "_", at most 63');

/** One `tenants/<id>.yaml`, put together from the owners of its parts. */
export const tenantDefinition = z.strictObject({
  tenant: z.string('write the tenant id, which is the name of the file; quote it if it is a number').min(1),
  enabled: z.boolean('write true or false').default(true),
  keys: z.array(keyEntry, 'write a list of keys, or [] for none').default([]),
  /** Where its callers may come from. */
  allowFrom: addresses().optional(),
  server: server.optional(),
  servers: z.record(serverName, server).optional(),
  pool,
  deadline: z.strictObject(withoutDefaults(deadlineShape)).optional(),
  policy: z.strictObject({}).optional(),
});

export type TenantDefinition = z.infer<typeof tenantDefinition>;
export type ServerDefinition = z.infer<typeof server>;
