import { readRegularFile } from '../files/read-regular-file.ts';
import type { Found, Trouble } from './found.ts';

/** A key file is a few KiB; and half of what is kept of a process's last words must be enough to know one in it. */
export const maxSecretBytes = 32 * 1024;

/** The content of a file that holds one secret, as Kubernetes, Docker and systemd mount them; `shown` is how it is written. */
export function readMountedSecret(file: string, shown: string): Found {
  const read = readRegularFile(file, maxSecretBytes);
  if (!read.ok) return trouble(...reasonOf(read.reason, shown));
  const text = decoded(read.bytes);
  if (text === undefined)
    return trouble('INVALID_SETTING', `the file ${shown} is no text in UTF-8, which a variable must be`);
  // What editors and `echo` put at the end is no part of it.
  const value = text.replace(/\r?\n$/, '');
  if (value === '') return trouble('MISSING_SECRET', `the file ${shown} is empty; put the secret into it`);
  return { ok: true, value };
}

function reasonOf(reason: string, shown: string): [Trouble['code'], string] {
  if (reason === 'ENOENT')
    return ['MISSING_SECRET', `there is no file ${shown}; mount it, or correct the path in \${file:…}`];
  if (reason === 'too big')
    return ['INVALID_SETTING', `the file ${shown} is larger than 32 KiB, too much for a secret`];
  if (reason === 'no file') return ['UNREADABLE', `${shown} is no regular file`];
  return ['UNREADABLE', `the file ${shown} cannot be read: ${reason}; look at its owner and mode`];
}

/** Undefined where it cannot be a variable: bytes that are no UTF-8, or a zero among them. */
function decoded(bytes: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

const trouble = (code: Trouble['code'], message: string): Found => ({
  ok: false,
  trouble: { code, message },
});
