import { type FSWatcher, statSync, watch } from 'node:fs';
import type { Clock } from '../time/clock.ts';
import { isTenantFile } from './tenant-file.ts';

/** Names of files that may have changed; undefined if any may have. */
export type ChangedNames = ReadonlySet<string> | undefined;

/** Changes that come within so many milliseconds are one: editors save in several steps. */
const debounceMs = 150;
/** How often the folder is looked at anyway, in milliseconds: network mounts tell nobody of their changes. */
const pollMs = 10_000;

/**
 * Tells when tenants' files may have changed: single ones, or any, as when a link was turned (`..data` of a Kubernetes
 * ConfigMap), the folder was exchanged, or events were lost. Does not keep the process alive.
 */
export class FolderWatcher {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #changed: (names: ChangedNames) => void;
  #watcher: FSWatcher | undefined;
  /** Which folder is watched: its name may be given to another. */
  #inode = '';
  #names: Set<string> | undefined = new Set();
  #stopDebounce: (() => void) | undefined;
  #stopPolling: () => void = () => undefined;

  constructor(folder: string, clock: Clock, changed: (names: ChangedNames) => void) {
    this.#folder = folder;
    this.#clock = clock;
    this.#changed = changed;
  }

  start(): void {
    this.#attach();
    this.#stopPolling = this.#clock.after(pollMs, () => {
      this.start();
      this.#changed(undefined);
    });
  }

  stop(): void {
    this.#stopDebounce?.();
    this.#stopPolling();
    this.#detach();
  }

  #attach(): void {
    const inode = inodeOf(this.#folder);
    if (inode === this.#inode && this.#watcher) return;
    this.#detach();
    if (inode === '') return;
    try {
      this.#watcher = watch(this.#folder, { persistent: false }, (_event, name) => this.#note(name));
      this.#watcher.on('error', () => this.#detach());
      this.#inode = inode;
    } catch {
      // No watches left, or a file system without them: polling is slower, and enough.
    }
  }

  #detach(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#inode = '';
  }

  #note(name: string | null): void {
    // Hidden files come and go with every save; only `..data`, or no name at all, says more.
    if (name === null || name === '..data') this.#names = undefined;
    else if (isTenantFile(name)) this.#names?.add(name);
    else return;
    this.#stopDebounce ??= this.#clock.after(debounceMs, () => this.#tell());
  }

  #tell(): void {
    const names = this.#names;
    this.#stopDebounce = undefined;
    this.#names = new Set();
    this.#changed(names);
  }
}

function inodeOf(folder: string): string {
  try {
    const { dev, ino } = statSync(folder);
    return `${dev}:${ino}`;
  } catch {
    return '';
  }
}
