import { hash, timingSafeEqual } from 'node:crypto';
import { ProxyError } from '../calls/error.ts';
import type { TenantId } from '../calls/ids.ts';
import { type Clock, systemClock } from '../time/clock.ts';
import type { AddressList } from '../yaml/addresses.ts';
import type { KeyEntry } from './api-key.ts';
import type { Authenticate, Credentials, Principal } from './principal.ts';

/** What the ring needs to know of a tenant. */
export interface KeyHolder {
  readonly id: TenantId;
  readonly enabled: boolean;
  readonly keys: readonly KeyEntry[];
  /** Its keys are worth something from these addresses only; undefined: from everywhere. */
  readonly allowFrom: AddressList | undefined;
}

/** Who came, who went and who is another now; what a change of the tenants looks like to the ring. */
export interface KeyHolderChange {
  readonly added: readonly KeyHolder[];
  readonly changed: readonly { readonly before: KeyHolder; readonly after: KeyHolder }[];
  readonly removed: readonly KeyHolder[];
}

export interface KeyRing {
  /** Takes in a change; costs as much as the change is big, however many keys there are. */
  apply(change: KeyHolderChange): void;
  readonly authenticate: Authenticate;
  /** Keys known, those of disabled tenants and expired ones too. */
  readonly size: number;
}

interface KnownKey {
  readonly principal: Principal;
  readonly digest: Buffer;
  readonly usable: boolean;
  readonly allowFrom: AddressList | undefined;
  /** Milliseconds since 1970; from then on the key is refused. */
  readonly expiresAt: number;
}

const howTo =
  'Send a valid key as "Authorization: Bearer <key>" or "X-API-Key: <key>"; your operator has it, or makes one with `proxy key create`';
const maxKeyLength = 512;

/** Every key of every tenant by its SHA-256. One look-up per request, whatever the number of keys. */
export function createKeyRing(clock: Pick<Clock, 'wall'> = systemClock): KeyRing {
  const known = new Map<string, KnownKey>();
  const nobody = unusable();

  function add({ id, enabled, keys, allowFrom }: KeyHolder): void {
    for (const { name, sha256, expires } of keys) {
      known.set(sha256, {
        principal: Object.freeze({ tenantId: id, keyName: name }),
        digest: Buffer.from(sha256, 'hex'),
        usable: enabled,
        allowFrom,
        expiresAt: expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires),
      });
    }
  }

  function remove({ id, keys }: KeyHolder): void {
    for (const { sha256 } of keys) {
      if (known.get(sha256)?.principal.tenantId === id) known.delete(sha256);
    }
  }

  return {
    apply({ added, changed, removed }) {
      // All that goes goes first: a key may move from one tenant to another in one change.
      for (const holder of removed) remove(holder);
      for (const { before } of changed) remove(before);
      for (const { after } of changed) add(after);
      for (const holder of added) add(holder);
    },
    authenticate(credentials) {
      const sent = sentKey(credentials);
      const hex = hash('sha256', sent ?? '', 'hex');
      // A stranger costs the same comparison as a friend, and every refusal below has the same words.
      const found = known.get(hex) ?? nobody;
      const equal = timingSafeEqual(found.digest, Buffer.from(hex, 'hex'));
      if (!equal || sent === undefined || !isValidNow(found, clock.wall(), credentials.remote))
        throw refusal();
      return found.principal;
    },
    get size() {
      return known.size;
    },
  };
}

/** Here and now: a stolen key is not even told that it would be worth something elsewhere. */
function isValidNow({ usable, expiresAt, allowFrom }: KnownKey, now: number, remote: string): boolean {
  return usable && now < expiresAt && (allowFrom?.has(remote) ?? true);
}

/** The one key a request shows; undefined if it shows none, one that cannot be a key, or two that differ. */
function sentKey({ authorization, apiKey }: Credentials): string | undefined {
  const key = authorization === undefined ? apiKey : bearer(authorization);
  if (key === undefined || key === '' || key.length > maxKeyLength) return undefined;
  // Two different keys may belong to two tenants: guessing which one is meant would be a choice of tenant.
  if (apiKey !== undefined && apiKey !== key) return undefined;
  return key;
}

function bearer(authorization: string): string | undefined {
  const [, key] = /^bearer +(\S+) *$/i.exec(authorization) ?? [];
  return key;
}

function unusable(): KnownKey {
  const principal = { tenantId: '' as TenantId, keyName: '' };
  return { principal, digest: Buffer.alloc(32), usable: false, allowFrom: undefined, expiresAt: 0 };
}

function refusal(): ProxyError {
  return new ProxyError('UNAUTHENTICATED', howTo);
}
