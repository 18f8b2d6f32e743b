import { statSync } from 'node:fs';

/** What others than its owner may do with a file or folder. */
export interface Exposure {
  /** By every user of the machine. */
  readonly isReadable: boolean;
  /** By every user, or by its group. In a folder with the sticky bit nobody can take the place of another's file. */
  readonly isWritable: boolean;
}

/** Undefined if it is not there, or may not be looked at. Links are followed. */
export function exposureOf(file: string): Exposure | undefined {
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (!stat) return undefined;
    const isSticky = stat.isDirectory() && (stat.mode & 0o1000) !== 0;
    return { isReadable: (stat.mode & 0o004) !== 0, isWritable: (stat.mode & 0o022) !== 0 && !isSticky };
  } catch {
    return undefined;
  }
}
