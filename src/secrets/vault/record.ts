import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { deriveTenantKey, type MasterKey } from './master-key.ts';

const cipher = 'aes-256-gcm';
const tagBytes = 16;
/** The norm for GCM. Records with 16, as the founding design has them, can be read too. */
const ivBytes = 12;
const readableIvs = [12, 16];

/** Base64 that can be written in one way only: else a letter could be changed and nobody would notice. */
const bytes = z
  .string()
  .max(256 * 1024)
  .refine((text) => Buffer.from(text, 'base64').toString('base64') === text)
  .transform((text) => Buffer.from(text, 'base64'));

/** One secret as it stands in the vault. Everything in it is either what is sealed or is sealed with it. */
export const sealedRecord = z.strictObject({
  version: z.literal(1),
  masterKey: z.string().regex(/^[0-9a-f]{16}$/),
  updated: z.iso.datetime(),
  iv: bytes.refine(({ length }) => readableIvs.includes(length)),
  authTag: bytes.refine(({ length }) => length === tagBytes),
  encrypted: bytes,
});
export type SealedRecord = z.output<typeof sealedRecord>;
/** As it is written: bytes in base64. */
export type WrittenRecord = z.input<typeof sealedRecord>;

/** Whose secret it is, and what it is called. */
export interface SecretPlace {
  readonly tenantId: string;
  readonly name: string;
}

export function seal(place: SecretPlace, value: string, master: MasterKey, now: Date): WrittenRecord {
  const iv = randomBytes(ivBytes);
  const head = { version: 1 as const, masterKey: master.id, updated: now.toISOString() };
  const sealing = createCipheriv(cipher, tenantKey(master, place), iv, { authTagLength: tagBytes });
  sealing.setAAD(boundTo(place, head));
  const encrypted = Buffer.concat([sealing.update(value, 'utf8'), sealing.final()]);
  return {
    ...head,
    iv: iv.toString('base64'),
    authTag: sealing.getAuthTag().toString('base64'),
    encrypted: encrypted.toString('base64'),
  };
}

/** The value; undefined if the record was changed, or is another tenant's or another name's. */
export function unseal(place: SecretPlace, record: SealedRecord, master: MasterKey): string | undefined {
  const opening = createDecipheriv(cipher, tenantKey(master, place), record.iv, { authTagLength: tagBytes });
  opening.setAAD(boundTo(place, record));
  opening.setAuthTag(record.authTag);
  try {
    return Buffer.concat([opening.update(record.encrypted), opening.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}

const tenantKey = ({ key }: MasterKey, { tenantId }: SecretPlace): KeyObject =>
  deriveTenantKey(key, tenantId);

type Head = Pick<SealedRecord, 'version' | 'masterKey' | 'updated'>;

/** What a record is sealed to, written so that no two places read the same. */
function boundTo({ tenantId, name }: SecretPlace, { version, masterKey, updated }: Head): Buffer {
  return Buffer.from(JSON.stringify(['mcp-tenant-secret', version, tenantId, name, masterKey, updated]));
}
