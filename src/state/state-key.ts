import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const keyBytes = 32;

/**
 * A random key of the proxy's own, the same in every run; for nobody else to read (mode 0600). Where it cannot be kept,
 * each run has another.
 */
export function stateKey(folder: string, name: string): Buffer {
  const file = path.join(folder, name);
  try {
    const known = readFileSync(file);
    if (known.length === keyBytes) return known;
  } catch {
    // The first run, or a folder that cannot be read.
  }
  const made = randomBytes(keyBytes);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(file, made, { mode: 0o600 });
  } catch {
    // What is remembered under it is forgotten with this run.
  }
  return made;
}
