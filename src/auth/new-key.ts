import { hash, randomBytes } from 'node:crypto';

/** A key as it is handed out, and what is kept of it. */
export interface NewKey {
  /** `mcpx_<id>_<secret>`: shown once, never stored. */
  readonly key: string;
  /** SHA-256 of the whole key, 64 hex digits: all that a tenant's file holds. */
  readonly sha256: string;
}

/**
 * A new random key of 256 bits. The prefix lets secret scanners find a leaked one, and the id lets people
 * name one without showing it.
 */
export function createKey(): NewKey {
  const key = `mcpx_${randomBytes(6).toString('hex')}_${randomBytes(32).toString('hex')}`;
  return { key, sha256: hash('sha256', key, 'hex') };
}
