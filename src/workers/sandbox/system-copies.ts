import { chmodSync, copyFileSync, mkdirSync, renameSync, rmSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';

/** Larger ones are not copied. In bytes. */
const maxCopyBytes = 1024 ** 2;

/**
 * Copies of small files of the system's, together in one folder. A sandbox mounts that once, where each file by itself
 * would cost it up to a quarter of a millisecond.
 */
export interface SystemCopies {
  /** Absolute. Nothing is in it that not everybody on this machine may read. */
  readonly folder: string;
  /**
   * Where in the folder the copy of `file` is, which is made anew if the file has changed: who runs already sees that too.
   * Undefined for what is not to be copied, or cannot be.
   */
  of(file: string): string | undefined;
}

/**
 * Copies are made when they are first asked for. `state`: the folder of what the proxy keeps, absolute. `source`: where
 * the system's small files lie; nothing else is copied.
 */
export function openSystemCopies(state: string, source = '/etc'): SystemCopies {
  const folder = path.join(state, 'etc');
  /** By name in the folder, of what it is a copy. */
  const made = new Map<string, string>();
  return {
    folder,
    of(file) {
      if (!file.startsWith(`${source}/`)) return undefined;
      const name = path.relative(source, file);
      const copy = path.join(folder, name);
      try {
        const stats = statSync(file);
        if (!isSmallAndOpen(stats)) {
          if (made.delete(name)) rmSync(copy, { force: true });
          return undefined;
        }
        const version = versionOf(stats);
        if (made.get(name) !== version) replace(copy, file, folder);
        made.set(name, version);
        return name;
      } catch {
        // Gone in this moment, or the disk is full: it is mounted then, as it is.
        return undefined;
      }
    },
  };
}

/** What not everybody may read on the machine is mounted, so that its mode and owner hold inside too. */
const isSmallAndOpen = (stats: Stats): boolean =>
  stats.isFile() && stats.size <= maxCopyBytes && (stats.mode & 0o004) !== 0;

const versionOf = ({ ino, size, mtimeMs, ctimeMs }: Stats): string => [ino, size, mtimeMs, ctimeMs].join(' ');

/** Whole or not at all, because there are readers; and what a crash leaves half done is in nobody's sight. */
function replace(copy: string, file: string, folder: string): void {
  for (let at = path.dirname(copy); at.startsWith(folder); at = path.dirname(at)) {
    mkdirSync(at, { recursive: true });
    // Whatever mask we were started with.
    chmodSync(at, 0o755);
  }
  const fresh = `${folder}.${process.pid}.tmp`;
  copyFileSync(file, fresh);
  chmodSync(fresh, 0o444);
  renameSync(fresh, copy);
}
