import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  deriveTenantKey,
  type MasterKey,
  MasterKeyError,
  parseMasterKeys,
} from '../../../../src/secrets/vault/master-key.ts';
import { seal, sealedRecord, unseal, type WrittenRecord } from '../../../../src/secrets/vault/record.ts';

const hex = randomBytes(32).toString('hex');
const [master] = parseMasterKeys(Buffer.from(hex));
const place = { tenantId: 'acme', name: 'API_TOKEN' };
const now = new Date('2026-11-21T10:00:00.000Z');

/** What opening a written record gives: its value, or undefined if it is refused at any stage. */
function open(written: unknown, at = place, key: MasterKey = master): string | undefined {
  const record = sealedRecord.safeParse(written);
  if (!record.success || record.data.masterKey !== key.id) return undefined;
  return unseal(at, record.data, key);
}

describe('what is sealed', () => {
  test('can be opened, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (value) => {
        expect(open(JSON.parse(JSON.stringify(seal(place, value, master, now))))).toBe(value);
      }),
    );
  });

  test('is never the same twice, and does not show what it is', () => {
    const records = Array.from({ length: 100 }, () => seal(place, 'same', master, now));
    expect(new Set(records.map(({ iv }) => iv)).size).toBe(100);
    expect(new Set(records.map(({ encrypted }) => encrypted)).size).toBe(100);
    expect(JSON.stringify(seal(place, 'a-long-secret-value', master, now))).not.toContain('secret-value');
  });

  test('has the fields of the founding design, in base64, and says its version', () => {
    expect(seal(place, 'x', master, now)).toEqual({
      version: 1,
      masterKey: master.id,
      updated: '2026-11-21T10:00:00.000Z',
      iv: expect.stringMatching(/^[A-Za-z0-9+/]{16}$/) as string,
      authTag: expect.stringMatching(/^[A-Za-z0-9+/]{22}==$/) as string,
      encrypted: expect.stringMatching(/^[A-Za-z0-9+/]{2}==$/) as string,
    });
  });

  test('belongs to its tenant, its name and its master key', () => {
    const text = fc.stringMatching(/^[a-z0-9_.-]{1,20}$/);
    fc.assert(
      fc.property(text, text, text, text, (tenantId, name, otherTenant, otherName) => {
        fc.pre(tenantId !== otherTenant || name !== otherName);
        const record = seal({ tenantId, name }, 'value', master, now);
        expect(open(record, { tenantId, name })).toBe('value');
        expect(open(record, { tenantId: otherTenant, name: otherName })).toBeUndefined();
      }),
    );
    const [other] = parseMasterKeys(randomBytes(32));
    const record = seal(place, 'value', master, now);
    expect(open(record, place, other)).toBeUndefined();
    // Even where the other key pretends to be the right one.
    expect(open(record, place, { ...other, id: master.id })).toBeUndefined();
  });

  test('does not open with a byte changed, in any of its fields', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 60 }),
        fc.constantFrom('iv', 'authTag', 'encrypted'),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (value, field, at, change) => {
          const record = seal(place, value, master, now);
          const bytes = Buffer.from(record[field], 'base64');
          bytes[at % bytes.length]! ^= change;
          expect(open({ ...record, [field]: bytes.toString('base64') })).toBeUndefined();
        },
      ),
    );
  });

  test('does not open with a bit of its text changed, wherever', () => {
    const record = seal(place, 'a secret of some length', master, now);
    const text = Buffer.from(JSON.stringify(record));
    for (let at = 0; at < text.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = Buffer.from(text);
        changed[at]! ^= 1 << bit;
        let written: unknown;
        try {
          written = JSON.parse(changed.toString('utf8'));
        } catch {
          continue;
        }
        expect([at, bit, open(written)]).toEqual([at, bit, undefined]);
      }
    }
  });

  test.each<[string, (record: WrittenRecord) => object]>([
    [
      'a short tag',
      ({ authTag }) => ({ authTag: Buffer.from(authTag, 'base64').subarray(0, 4).toString('base64') }),
    ],
    ['a tag of none', () => ({ authTag: '' })],
    ['an iv of none', () => ({ iv: '' })],
    ['base64 that is written in another way', ({ encrypted }) => ({ encrypted: ` ${encrypted}` })],
    ['another date', () => ({ updated: '2027-01-01T00:00:00.000Z' })],
    ['another version', () => ({ version: 2 })],
    ['a field more', () => ({ note: 'x' })],
  ])('does not open with %s', (_what, change) => {
    const record = seal(place, 'value', master, now);
    expect(open(record)).toBe('value');
    expect(open({ ...record, ...change(record) })).toBeUndefined();
  });

  test('with an iv of 16 bytes, as the founding design has it, opens', () => {
    const iv = randomBytes(16);
    const cipher = createCipheriv('aes-256-gcm', deriveTenantKey(master.key, 'acme'), iv);
    const updated = now.toISOString();
    cipher.setAAD(
      Buffer.from(JSON.stringify(['mcp-tenant-secret', 1, 'acme', 'API_TOKEN', master.id, updated])),
    );
    const encrypted = Buffer.concat([cipher.update('value'), cipher.final()]).toString('base64');
    const written = {
      ...{ version: 1, masterKey: master.id, updated, encrypted },
      ...{ iv: iv.toString('base64'), authTag: cipher.getAuthTag().toString('base64') },
    };
    expect(open(written)).toBe('value');
  });
});

describe('the key of a tenant', () => {
  /** HKDF as RFC 5869 writes it, with nothing but HMAC. */
  const hkdf = (ikm: Buffer, salt: string, info: string): Buffer => {
    const prk = createHmac('sha256', salt).update(ikm).digest();
    return createHmac('sha256', prk)
      .update(info)
      .update(Buffer.from([1]))
      .digest();
  };

  test('is HKDF-SHA256 of the master key with the salt and the info of the founding design', () => {
    const key = deriveTenantKey(master.key, 'acme').export();
    expect(key).toEqual(hkdf(Buffer.from(hex, 'hex'), 'mcp-tenant-key-v1', 'tenant:acme'));
    expect(key).toHaveLength(32);
  });

  test('is another for each tenant', () => {
    const keys = ['acme', 'acme2', 'globex'].map((id) =>
      deriveTenantKey(master.key, id).export().toString('hex'),
    );
    expect(new Set(keys).size).toBe(3);
  });
});

describe('a master key', () => {
  test.each<[string, Buffer | string]>([
    ['hex', hex],
    ['hex in capitals, with a line end', `${hex.toUpperCase()}\r\n`],
    ['base64', Buffer.from(hex, 'hex').toString('base64')],
    ['base64 for URLs', Buffer.from(hex, 'hex').toString('base64url')],
    ['bytes as they are', Buffer.from(hex, 'hex')],
  ])('may be written as %s', (_how, written) => {
    expect(parseMasterKeys(Buffer.from(written))[0].id).toBe(master.id);
  });

  test('comes first of several', () => {
    const other = randomBytes(32).toString('base64');
    const ids = parseMasterKeys(Buffer.from(`${hex}\n${other}\n`)).map((key) => key.id);
    expect(ids).toHaveLength(2);
    expect(ids[0]).toBe(master.id);
  });

  test.each([
    ['nothing', ''],
    ['a word', 'correct-horse-battery-staple'],
    ['too few digits', 'ab'.repeat(31)],
    ['too many digits', 'ab'.repeat(33)],
    ['a key and a word', `${hex} oops`],
    ['zeros', '0'.repeat(64)],
    ['a pattern', '0123456789abcdef'.repeat(4)],
  ])('is not %s, and that is said without quoting it', (_what, written) => {
    const parse = () => parseMasterKeys(Buffer.from(written));
    expect(parse).toThrow(MasterKeyError);
    expect(parse).toThrow(/openssl rand -hex 32/);
    if (written.length > 10) expect(parse).not.toThrow(new RegExp(written.slice(0, 12)));
  });

  test('cannot be printed, and its id tells nothing of it', () => {
    const printed = `${inspect(master, { showHidden: true, depth: 9 })} ${JSON.stringify(master)}`;
    for (const form of [hex, Buffer.from(hex, 'hex').toString('base64'), hex.slice(0, 16)])
      expect(printed).not.toContain(form);
    expect(master.id).toMatch(/^[0-9a-f]{16}$/);
    expect(parseMasterKeys(randomBytes(32))[0].id).not.toBe(master.id);
  });
});

test('of a master key nothing is left in what it was read from', () => {
  const given = randomBytes(32);
  parseMasterKeys(given);
  expect(given).toEqual(Buffer.alloc(32));
});
