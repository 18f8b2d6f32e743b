import { rmSync } from 'node:fs';
import type { TenantId } from '../calls/ids.ts';
import { memoryFolder } from '../state/memory-folder.ts';
import { type StateFile, stateFile } from '../state/state-file.ts';
import type { Clock } from '../time/clock.ts';
import { createEraBook, type EraBook } from './era-book.ts';

/** What is known of servers from one run of the proxy to the next. */
export interface KeptState {
  readonly eraBook: EraBook;
  /** Where a server's answers are remembered. */
  memoryOf(tenantId: TenantId, server: string): StateFile;
  /** A tenant is no more, and neither is what was remembered of its servers. */
  forget(tenantId: TenantId): void;
}

/** `folder` is the state folder, absolute. */
export function openKeptState(folder: string, clock: Clock): KeptState {
  return {
    eraBook: createEraBook(stateFile(folder, 'eras.json', clock), clock),
    memoryOf: (tenantId, server) => stateFile(memoryFolder(folder, tenantId), `${server}.json`, clock),
    forget(tenantId) {
      rmSync(memoryFolder(folder, tenantId), { recursive: true, force: true });
    },
  };
}
