import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

export type ReadFile =
  | { readonly ok: true; readonly bytes: Buffer }
  /** `too big`, `no file` (a pipe, a device, a folder), or the system's own code such as ENOENT. */
  | { readonly ok: false; readonly reason: string };

/**
 * The content of a file that is one. What is looked at is what was opened, so nobody can put another in its place
 * meanwhile; a pipe does not hold us, because it is opened without waiting for its other end. Links are followed.
 */
export function readRegularFile(file: string, maxBytes: number): ReadFile {
  let handle: number | undefined;
  try {
    handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    return contentOf(handle, maxBytes);
  } catch (thrown) {
    return { ok: false, reason: (thrown as { code?: string }).code ?? 'unknown error' };
  } finally {
    if (handle !== undefined) closeQuietly(handle);
  }
}

/** Nothing was written, so nothing can be lost by it. */
function closeQuietly(handle: number): void {
  try {
    closeSync(handle);
  } catch {
    // The system has given it back all the same.
  }
}

function contentOf(handle: number, maxBytes: number): ReadFile {
  const stat = fstatSync(handle);
  if (!stat.isFile()) return { ok: false, reason: 'no file' };
  if (stat.size > maxBytes) return { ok: false, reason: 'too big' };
  // One byte more than was seen, to notice that it grows; what has no size, as in /proc, is empty.
  const buffer = Buffer.alloc(stat.size + 1);
  let size = 0;
  while (size < buffer.length) {
    const count = readSync(handle, buffer, size, buffer.length - size, size);
    if (count === 0) break;
    size += count;
  }
  return { ok: true, bytes: buffer.subarray(0, Math.min(size, stat.size)) };
}
