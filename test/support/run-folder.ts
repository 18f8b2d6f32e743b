import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where test files keep what they share, until the last of them has run. All users may pass through. */
    runFolder: string;
  }
}

export default function openRunFolder(project: TestProject): () => void {
  const folder = mkdtempSync(path.join(tmpdir(), 'mtp-run-'));
  chmodSync(folder, 0o755);
  project.provide('runFolder', folder);
  return () => {
    rmSync(folder, { recursive: true, force: true });
  };
}
