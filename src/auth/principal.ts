import type { TenantId } from '../calls/ids.ts';

/** Which key of which tenant asks. Comes from the verified credential and from nowhere else. */
export interface Principal {
  readonly tenantId: TenantId;
  /** The key's name in the tenant's file, unique within the tenant. */
  readonly keyName: string;
}

/** What one HTTP request says about the caller, and where it comes from; nothing is believed yet. */
export interface Credentials {
  /** `Authorization`, as sent. */
  readonly authorization: string | undefined;
  /** `X-API-Key`, as sent. */
  readonly apiKey: string | undefined;
  /** The address it comes from. */
  readonly remote: string;
}

/** Throws UNAUTHENTICATED with the same words whatever is wrong: no key, unknown key, expired key, wrong place, disabled tenant. */
export type Authenticate = (credentials: Credentials) => Principal;
