import path from 'node:path';
import type { Problem } from '../yaml/problem.ts';
import type { TenantRecord } from './claims.ts';
import { type ReadingContext, readTenant } from './read-tenant.ts';
import { createSettler } from './settled-files.ts';
import { idOfFile, listTenantFiles, readTenantFile, shownPath } from './tenant-file.ts';

/** The tenants' files as they were at the last look. */
export interface Folder {
  /** Look again: at these names only, or at all. A file whose signature is as before is not read again. */
  look(names: ReadonlySet<string> | undefined): Promise<FolderLook>;
}

export interface FolderLook {
  /** In the order of their names. */
  readonly records: readonly TenantRecord[];
  /** What is wrong with the folder itself. */
  readonly problems: readonly Problem[];
}

/** So many files are read before others get a turn: no call waits for ten thousand files. */
const turn = 20;
const nowhere = { line: 0, column: 0 };

export function createFolder(folder: string, context: ReadingContext): Folder {
  const shown = shownPath(folder);
  const settledSignatures = createSettler(folder);
  let records = new Map<string, TenantRecord>();
  let problem: Problem | undefined;

  async function look(names: ReadonlySet<string> | undefined): Promise<FolderLook> {
    if (names) {
      records = await updated(names);
    } else {
      const listed = listAll();
      problem = 'problem' in listed ? listed.problem : undefined;
      // Files that are gone are looked at too: that is how it is found out that they are.
      if ('names' in listed) records = await updated(new Set([...records.keys(), ...listed.names]));
    }
    return { records: [...records.values()], problems: problem ? [problem] : [] };
  }

  /** Nothing where there was something is taken for a mount that went away, not for everybody's leave. */
  function listAll(): ReturnType<typeof listTenantFiles> {
    const listed = listTenantFiles(folder, shown);
    if ('problem' in listed || listed.names.length > 0 || records.size === 0) return listed;
    const message =
      'The tenants folder is empty, so the tenants before stay in force; to end the last one, write "enabled: false" in its file';
    return { problem: { file: shown, ...nowhere, code: 'UNREADABLE', message } };
  }

  async function updated(names: ReadonlySet<string>): Promise<Map<string, TenantRecord>> {
    const signatures = await settledSignatures(names, (name) => records.get(name)?.signature);
    const next = new Map(records);
    let read = 0;
    for (const [name, signature] of signatures) {
      if (signature === records.get(name)?.signature) continue;
      if (signature === undefined) next.delete(name);
      else next.set(name, readRecord(name, signature));
      if (++read % turn === 0) await new Promise(setImmediate);
    }
    return keepLast(new Map([...next].sort(([a], [b]) => (a < b ? -1 : 1))));
  }

  /** Somebody emptied the folder file by file: the same as above. */
  function keepLast(next: Map<string, TenantRecord>): Map<string, TenantRecord> {
    if (next.size > 0 || records.size === 0) return next;
    const listed = listAll();
    problem = 'problem' in listed ? listed.problem : undefined;
    return records;
  }

  function readRecord(name: string, signature: string): TenantRecord {
    const file = path.join(folder, name);
    const shownFile = shownPath(file);
    const record = { name, file: shownFile, signature };
    const broken = (problems: readonly Problem[]): TenantRecord => ({
      ...record,
      candidate: undefined,
      places: { tenant: nowhere, keys: [] },
      problems,
    });
    const content = readTenantFile(file, shownFile);
    if ('problem' in content) return broken([content.problem]);
    const found = readTenant({ name: idOfFile(name), file: shownFile, text: content.text }, context);
    if (!found.ok) return broken(found.problems);
    return { ...record, candidate: found.tenant, places: found.places, problems: [] };
  }

  return { look };
}
