import { type FSWatcher, statSync, watch } from 'node:fs';
import type { Clock } from '../time/clock.ts';
import { isTenantFile } from './tenant-file.ts';

/** Changes that come within so many milliseconds are one: editors save in several steps. */
const debounceMs = 150;
/** How often the folder is looked at anyway, in milliseconds: network mounts tell nobody of their changes. */
const pollMs = 10_000;

/**
 * Calls `changed` with the names of tenants' files that may have changed, or with undefined if any may have: a link
 * that was turned (`..data` of a Kubernetes ConfigMap), a folder that was exchanged, events that were lost.
 * Returns how to stop. Does not keep the process alive.
 */
export function watchFolder(
  folder: string,
  clock: Clock,
  changed: (names: ReadonlySet<string> | undefined) => void,
): () => void {
  let watcher: FSWatcher | undefined;
  let watched = '';
  let names: Set<string> | undefined = new Set();
  let stopDebounce: (() => void) | undefined;
  let isStopped = false;
  let stopPolling = clock.after(pollMs, poll);

  function attach(): void {
    const inode = inodeOf(folder);
    if (inode === watched && watcher) return;
    detach();
    watched = inode;
    if (inode === '') return;
    try {
      watcher = watch(folder, { persistent: false }, (_event, name) => note(name));
      watcher.on('error', detach);
    } catch {
      // No watches left, or a file system without them: polling is slower, and enough.
    }
  }

  function detach(): void {
    watcher?.close();
    watcher = undefined;
    watched = '';
  }

  function note(name: string | null): void {
    if (name !== null && isTenantFile(name)) names?.add(name);
    // Hidden files come and go with every save; only `..data`, or no name at all, says more.
    else if (name === null || name === '..data') names = undefined;
    else return;
    stopDebounce ??= clock.after(debounceMs, tell);
  }

  function tell(): void {
    stopDebounce = undefined;
    const told = names;
    names = new Set();
    if (!isStopped) changed(told);
  }

  function poll(): void {
    if (isStopped) return;
    attach();
    changed(undefined);
    stopPolling = clock.after(pollMs, poll);
  }

  attach();
  return () => {
    isStopped = true;
    stopDebounce?.();
    stopPolling();
    detach();
  };
}

function inodeOf(folder: string): string {
  try {
    const { dev, ino } = statSync(folder);
    return `${dev}:${ino}`;
  } catch {
    return '';
  }
}
