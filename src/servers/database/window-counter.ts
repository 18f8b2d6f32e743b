import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';

/** Counts in one window of time at a time: an hour, a day. Windows are named by when they began, in ms since 1970. */
export interface WindowCounter {
  count(window: number): number;
  /** One more; how many there are now, those of other processes that came meanwhile included. */
  add(window: number): number;
}

/**
 * Counted by the length of a file, one byte for each: appending is atomic, so processes need no lock, and one that is
 * killed loses nothing. Without waiting, so that no other call of this process comes between looking and counting; a
 * query costs a hundred times more. `onUnsaved` is told why a file cannot be used; then this process counts alone.
 */
export function createWindowCounter(
  folder: string,
  name: string,
  onUnsaved: (reason: string) => void,
): WindowCounter {
  const alone = { window: 0, count: 0 };
  let isAlone = false;

  const aloneIn = (window: number): typeof alone => {
    if (alone.window !== window) Object.assign(alone, { window, count: 0 });
    return alone;
  };
  /** What `work` makes of the window's file, or undefined where there can be none. */
  const inFile = (window: number, work: (file: number) => number): number | undefined => {
    if (isAlone) return undefined;
    try {
      return withFile(folder, `${name}-${window}`, work);
    } catch (thrown) {
      isAlone = true;
      onUnsaved(thrown instanceof Error ? thrown.message : String(thrown));
      return undefined;
    }
  };

  return {
    count: (window) => inFile(window, lengthOf) ?? aloneIn(window).count,
    add(window) {
      const counted = inFile(window, (file) => {
        // The first of a window: those before it are over.
        if (lengthOf(file) === 0) removeBefore(folder, name, window);
        writeSync(file, '.');
        return lengthOf(file);
      });
      return counted ?? (aloneIn(window).count += 1);
    },
  };
}

const lengthOf = (file: number): number => fstatSync(file).size;

function withFile(folder: string, name: string, work: (file: number) => number): number {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW } = constants;
  const file = openSync(path.join(folder, name), O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW, 0o600);
  try {
    return work(file);
  } finally {
    closeSync(file);
  }
}

function removeBefore(folder: string, name: string, window: number): void {
  const isOver = (file: string): boolean =>
    file.startsWith(`${name}-`) && Number(file.slice(name.length + 1)) < window;
  for (const file of readdirSync(folder).filter(isOver)) {
    try {
      unlinkSync(path.join(folder, file));
    } catch {
      // Another process was there first.
    }
  }
}
