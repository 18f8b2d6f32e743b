import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, mkdir, open, rename, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { withFileLock } from './file-lock.ts';

/** Times are milliseconds since 1970: processes that share them have no other clock in common. */
export interface AccessToken {
  readonly text: string;
  /** From here on another one is asked for; this one is good until `expiresAt`. */
  readonly renewAt: number;
  readonly expiresAt: number;
  /** What it may do; undefined if the accounts server did not say. */
  readonly scopes: readonly string[] | undefined;
}

/** What all processes of one refresh token know together. */
export interface TokenState {
  readonly token: AccessToken | undefined;
  /** When tokens were asked for lately. */
  readonly askedAt: readonly number[];
  /** Not before this. */
  readonly retryAt: number;
  /** Times in a row that it did not work. */
  readonly failures: number;
  /** The accounts server's word if it refused these credentials for good. */
  readonly refusal: string | undefined;
}

const emptyState: TokenState = { token: undefined, askedAt: [], retryAt: 0, failures: 0, refusal: undefined };

/** The credentials that decide which file it is, and that open it. */
export interface CacheIdentity {
  readonly accountsUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
}

export interface TokenCache {
  read(): Promise<TokenState>;
  /** What cannot be written to a file is kept in memory, for this process alone. */
  write(state: TokenState): Promise<void>;
  /** One process at a time. */
  exclusively<Value>(work: () => Promise<Value>): Promise<Value>;
}

const maxFileBytes = 64 * 1024;

/**
 * The tokens of one refresh token in a file of mode 0600, so that a restart does not cost one: ten in ten minutes lock
 * a tenant out. Encrypted with a key made of the tenant's own credentials: the file alone is worth nothing, and a
 * process with other credentials cannot read it even if it gets at it. `onUnsaved` is told when writing begins to fail.
 */
export function createTokenCache(folder: string, identity: CacheIdentity, onUnsaved: () => void): TokenCache {
  const { accountsUrl, clientId, clientSecret, refreshToken } = identity;
  const name = createHash('sha256').update(
    JSON.stringify([accountsUrl, clientId, clientSecret, refreshToken]),
  );
  const file = path.join(folder, `${name.digest('hex').slice(0, 32)}.token`);
  const key = Buffer.from(
    hkdfSync('sha256', `${clientSecret}\n${refreshToken}`, 'servicedesk-plus-token-cache', clientId, 32),
  );
  let unsaved: TokenState | undefined;
  return {
    async read() {
      if (unsaved) return unsaved;
      const sealed = await readPrivateFile(file);
      return (sealed && unseal(sealed, key)) ?? emptyState;
    },
    async write(state) {
      const saved = await replaceFile(file, seal(state, key));
      if (!saved && !unsaved) onUnsaved();
      unsaved = saved ? undefined : state;
    },
    async exclusively(work) {
      await makeFolder(folder);
      return withFileLock(`${file}.lock`, work);
    },
  };
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(() => undefined);
}

/** Undefined if there is none, or if it is no plain file that only its owner can write. */
async function readPrivateFile(file: string): Promise<Buffer | undefined> {
  const opened = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined);
  if (!opened) return undefined;
  try {
    const found = await opened.stat();
    const isPrivate = found.isFile() && (found.mode & 0o077) === 0 && found.uid === process.getuid?.();
    return isPrivate && found.size <= maxFileBytes ? await opened.readFile() : undefined;
  } finally {
    await opened.close();
  }
}

/** Whoever reads sees the old file or the new one, never half of one. */
async function replaceFile(file: string, bytes: Buffer): Promise<boolean> {
  const fresh = `${file}.${randomUUID()}.new`;
  try {
    await writeFile(fresh, bytes, { flag: 'wx', mode: 0o600 });
    // A umask may have taken more away; it cannot have left more.
    await chmod(fresh, 0o600);
    await rename(fresh, file);
    return true;
  } catch {
    await unlink(fresh).catch(() => undefined);
    return false;
  }
}

const ivBytes = 12;
const tagBytes = 16;

function seal(state: TokenState, key: Buffer): Buffer {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes });
  const text = Buffer.concat([cipher.update(JSON.stringify(state), 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), text]);
}

/** Undefined for what was not sealed with this key: damaged, or somebody else's. */
function unseal(sealed: Buffer, key: Buffer): TokenState | undefined {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, ivBytes), {
      authTagLength: tagBytes,
    });
    decipher.setAuthTag(sealed.subarray(ivBytes, ivBytes + tagBytes));
    const text = Buffer.concat([decipher.update(sealed.subarray(ivBytes + tagBytes)), decipher.final()]);
    return JSON.parse(text.toString('utf8')) as TokenState;
  } catch {
    return undefined;
  }
}
