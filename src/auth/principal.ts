import type { TenantId } from '../calls/ids.ts';

/** Which key of which tenant asks. Comes from the verified credential and from nowhere else. */
export interface Principal {
  readonly tenantId: TenantId;
  /** The key's name in the tenant's file, unique within the tenant. */
  readonly keyName: string;
}

/** What the headers of one HTTP request say about the caller; nothing is believed yet. */
export interface Credentials {
  /** `Authorization`, as sent. */
  readonly authorization: string | undefined;
  /** `X-API-Key`, as sent. */
  readonly apiKey: string | undefined;
}

/** Throws UNAUTHENTICATED with the same words whatever is wrong: no key, unknown key, expired key, disabled tenant. */
export type Authenticate = (credentials: Credentials) => Principal;
