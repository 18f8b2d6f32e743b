import type { KeyEntry } from '../auth/api-key.ts';
import type { Deadline } from '../calls/call.ts';
import type { TenantId } from '../calls/ids.ts';
import type { ServerSpec } from '../workers/spec.ts';
import type { AddressList } from '../yaml/addresses.ts';
import type { Problem } from '../yaml/problem.ts';

/** A tenant at one moment. Never changed: a reload makes a new object, and calls in flight keep the old one. */
export interface Tenant {
  readonly id: TenantId;
  /** Its file, as people know it. */
  readonly file: string;
  readonly enabled: boolean;
  readonly keys: readonly KeyEntry[];
  /** Undefined: its callers may come from everywhere. */
  readonly allowFrom: AddressList | undefined;
  /** By name; `default` is the one under `server:`, or the only one under `servers:`. */
  readonly servers: ReadonlyMap<string, ServerSpec>;
  readonly deadline: Deadline;
  readonly policy: Readonly<Record<string, unknown>>;
}

/** The tenants in force, live. */
export interface Tenants {
  find(id: TenantId): Tenant | undefined;
  /** Throws TENANT_NOT_CONFIGURED, or INVALID_TENANT where the text cannot be an id at all. */
  require(id: string): Tenant;
  all(): Iterable<Tenant>;
  readonly size: number;
  problems(): readonly Problem[];
  /** Look at the folder now, whatever the watcher thinks. Resolves when the change is in force. */
  reload(): Promise<TenantChange>;
  onChange(listener: (change: TenantChange) => void): void;
  close(): void;
}

/** What one look at the folder changed. Unchanged tenants are the very same objects as before. */
export interface TenantChange {
  readonly added: readonly Tenant[];
  readonly changed: readonly { readonly before: Tenant; readonly after: Tenant }[];
  readonly removed: readonly Tenant[];
}
