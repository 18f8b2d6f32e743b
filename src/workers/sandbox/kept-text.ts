import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A small file of ours that all may read, in a folder that only we may enter; written if it is not there. Returns its name. */
export function keepText(file: string, text: string): string {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  if (readText(file) !== text) {
    // Half of it would be seen and written anew: no need to wait for the disk.
    writeFileSync(`${file}.tmp`, text, { mode: 0o644 });
    chmodSync(`${file}.tmp`, 0o644);
    renameSync(`${file}.tmp`, file);
  }
  return file;
}

/** Undefined if it is not there. */
export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    if ((thrown as { code?: string }).code === 'ENOENT') return undefined;
    throw thrown;
  }
}
