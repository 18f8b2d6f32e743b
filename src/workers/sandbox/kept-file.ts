import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A small file of ours that all may read, in a folder that only we may enter; written if it is not there. Returns its name. */
export function keepFile(file: string, content: string | Buffer): string {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const bytes = Buffer.from(content);
  if (readBytes(file)?.equals(bytes) !== true) {
    // Half of it would be seen and written anew: no need to wait for the disk. Another command may be at it too.
    const fresh = `${file}.${process.pid}.tmp`;
    writeFileSync(fresh, bytes, { mode: 0o644 });
    chmodSync(fresh, 0o644);
    renameSync(fresh, file);
  }
  return file;
}

/** Undefined if it is not there. */
export const readText = (file: string): string | undefined => readBytes(file)?.toString();

function readBytes(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (thrown) {
    if ((thrown as { code?: string }).code === 'ENOENT') return undefined;
    throw thrown;
  }
}
