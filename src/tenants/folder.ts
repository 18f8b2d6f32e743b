import path from 'node:path';
import { hasChanged } from '../secrets/sources.ts';
import type { Problem } from '../yaml/problem.ts';
import type { TenantRecord } from './claims.ts';
import { readTenant } from './read-tenant.ts';
import type { ReadingContext } from './reading.ts';
import { createSettler, type SettledStates } from './settled-files.ts';
import {
  type FileState,
  type FolderNames,
  idOfFile,
  listTenantFiles,
  readTenantFile,
  shownPath,
} from './tenant-file.ts';

export interface FolderLook {
  /** In the order of their names. */
  readonly records: readonly TenantRecord[];
  /** What is wrong with the folder itself. */
  readonly problems: readonly Problem[];
}

/** So many files are read before others get a turn: no call waits for ten thousand files. */
const turn = 20;
const nowhere = { line: 0, column: 0 };
/** Of a file that could not be read, so that each look tries again. */
const unread = '';

/** The tenants' files as they were at the last look. */
export class Folder {
  readonly #folder: string;
  readonly #context: ReadingContext;
  readonly #settledStates: SettledStates;
  #records: ReadonlyMap<string, TenantRecord> = new Map();
  #problem: Problem | undefined;

  /** `folder` is absolute. */
  constructor(folder: string, context: ReadingContext) {
    this.#folder = folder;
    this.#context = context;
    this.#settledStates = createSettler(folder);
  }

  /**
   * Look again: at these names only, or at all. A file whose signature is as before is not read again, unless, where
   * all are looked at, a secret it takes from elsewhere has changed.
   */
  async look(names: ReadonlySet<string> | undefined): Promise<FolderLook> {
    if (names) {
      await this.#update(names, new Set());
    } else {
      const listed = this.#list();
      this.#problem = problemIn(listed);
      // Files that are gone are looked at too: that is how it is found out that they are.
      if ('names' in listed)
        await this.#update(new Set([...this.#records.keys(), ...listed.names]), this.#outdated());
    }
    return { records: [...this.#records.values()], problems: this.#problem ? [this.#problem] : [] };
  }

  /** Nothing where there was something is taken for a mount that went away, not for everybody's leave. */
  #list(): FolderNames {
    const shown = shownPath(this.#folder);
    const listed = listTenantFiles(this.#folder, shown);
    if ('problem' in listed || listed.names.length > 0 || this.#records.size === 0) return listed;
    const message =
      'The tenants folder is empty, so the tenants before stay in force; to end the last one, write "enabled: false" in its file';
    return { problem: { file: shown, ...nowhere, code: 'UNREADABLE', message } };
  }

  /** Those that take a secret from a file that is another one now. */
  #outdated(): ReadonlySet<string> {
    const records = [...this.#records.values()].filter(({ inputs }) => hasChanged(inputs));
    return new Set(records.map(({ name }) => name));
  }

  async #update(names: ReadonlySet<string>, outdated: ReadonlySet<string>): Promise<void> {
    const states = await this.#settledStates(names, (name) => this.#records.get(name)?.signature);
    const changed = [...states].filter(
      ([name, state]) => state?.signature !== this.#records.get(name)?.signature || outdated.has(name),
    );
    if (changed.length === 0) return;
    await this.#context.secrets.prepare(changed.map(([name]) => idOfFile(name)));
    const next = new Map(this.#records);
    for (const [index, [name, state]] of changed.entries()) {
      if (state) next.set(name, this.#read(name, state));
      else next.delete(name);
      if (index % turn === turn - 1) await new Promise(setImmediate);
    }
    this.#problem = next.size > 0 ? undefined : problemIn(this.#list());
    // Somebody emptied the folder file by file: the same as if it had been found empty.
    if (next.size > 0) this.#records = new Map([...next].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #read(name: string, { signature }: FileState): TenantRecord {
    const file = path.join(this.#folder, name);
    const shown = shownPath(file);
    const record = { name, file: shown, signature };
    const broken = (problems: readonly Problem[], inputs: TenantRecord['inputs'] = []): TenantRecord => ({
      ...record,
      inputs,
      candidate: undefined,
      places: { tenant: nowhere, keys: [] },
      problems,
      warnings: [],
    });
    const content = readTenantFile(file, shown);
    // It is the same file when the system reads it again: only another look can tell.
    if ('problem' in content) return { ...broken([content.problem]), signature: unread };
    const found = readTenant({ name: idOfFile(name), file: shown, text: content.text }, this.#context);
    const { inputs } = found;
    if (!found.ok) return broken(found.problems, inputs);
    const { tenant: candidate, places, warnings } = found;
    return { ...record, inputs, candidate, places, problems: [], warnings };
  }
}

const problemIn = (listed: FolderNames) => ('problem' in listed ? listed.problem : undefined);
