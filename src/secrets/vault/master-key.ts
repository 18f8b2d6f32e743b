import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** A key from which every tenant's key is derived. Cannot be printed: its bytes are within a `KeyObject`. */
export interface MasterKey {
  /** 16 hex digits that tell it from others and tell nothing about it. */
  readonly id: string;
  readonly key: KeyObject;
}

/** The master keys at hand; the first is the one that is written with. */
export type MasterKeys = readonly [MasterKey, ...MasterKey[]];

/** There is no master key, or it is none. The message says what to do and quotes nothing. */
export class MasterKeyError extends Error {
  override readonly name = 'MasterKeyError';
}

const keyBytes = 32;
/** From the founding design of this vault: another salt is another vault. */
const salt = 'mcp-tenant-key-v1';

/**
 * The keys in what a file, a variable or a command gave: 64 hex digits or base64 of 32 bytes, one a line, the one to
 * write with first; or 32 bytes as they are, as an HSM gives them. @throws {MasterKeyError}
 */
export function parseMasterKeys(given: Buffer): MasterKeys {
  const words = given
    .toString('latin1')
    .split(/[\s,]+/)
    .filter((word) => word !== '');
  const decoded = words.map(decodedKey);
  const isText = decoded.every((bytes) => bytes !== undefined);
  const [first, ...others] = isText ? decoded : given.length === keyBytes ? [given] : [];
  if (!first) {
    throw new MasterKeyError(
      `is no master key: it must hold 64 hex digits or 44 letters of base64 (32 random bytes), as "openssl rand -hex 32" makes them; several, the newest first, on lines of their own`,
    );
  }
  return [masterKey(first), ...others.map(masterKey)];
}

function decodedKey(word: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(word)) return Buffer.from(word, 'hex');
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(word)) return Buffer.from(word, 'base64');
  return undefined;
}

function masterKey(bytes: Buffer): MasterKey {
  // 32 random bytes with fewer than 12 different ones do not happen; a word that was repeated does.
  if (new Set(bytes).size < 12)
    throw new MasterKeyError('is no random key; make one with "openssl rand -hex 32"');
  const key = createSecretKey(bytes);
  bytes.fill(0);
  const id = Buffer.from(hkdfSync('sha256', key, salt, 'master-key-id', 8)).toString('hex');
  return { id, key };
}

/** The key of one tenant: HKDF (RFC 5869) over SHA-256, salt `mcp-tenant-key-v1`, info `tenant:<id>`, 32 bytes. */
export function deriveTenantKey(master: KeyObject, tenantId: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', master, salt, `tenant:${tenantId}`, keyBytes)));
}
