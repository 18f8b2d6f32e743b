import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach } from 'vitest';

/** A folder of its own for every test of a file, gone after it. Short: a unix socket's path has at most 107 bytes. */
export function useTempFolder(): { readonly path: string; file(...names: readonly string[]): string } {
  let folder = '';
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'mtpt-')));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    get path() {
      return folder;
    },
    file: (...names) => path.join(folder, ...names),
  };
}
