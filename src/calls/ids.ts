/** Ids that cannot be taken for one another: a `SessionId` does not pass as a `TenantId`. */
export type TenantId = string & { readonly brand: 'TenantId' };
export type SessionId = string & { readonly brand: 'SessionId' };

/** Lower-case letters, digits, `-` and `_`, 1 to 63 of them; `tenantIds.pattern` changes it. */
export const defaultTenantIdPattern = '^[a-z0-9_-]{1,63}$';
