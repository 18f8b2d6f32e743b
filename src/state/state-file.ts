import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../time/clock.ts';

/**
 * A JSON file of what the proxy keeps from one run to the next. It can be lost at any time: whoever reads it must be
 * able to do without.
 */
export interface StateFile {
  /** What was kept; an empty record if there is nothing that can be read. */
  read(): Readonly<Record<string, unknown>>;
  /** Keep what `make` returns, soon; of many writes in a row only the last is made. */
  write(make: () => Readonly<Record<string, unknown>>): void;
  /** Keep it now. */
  flush(): void;
  /** Nothing is to be kept any more. */
  remove(): void;
}

/** How long writes are gathered, in milliseconds. */
const gatherMs = 200;
/** A file beyond this is not read. */
const maxFileBytes = 16 * 1024 ** 2;

/** The file `name` in the state folder; for nobody else to read (mode 0600 in a folder of mode 0700). */
export function stateFile(folder: string, name: string, clock: Clock): StateFile {
  const file = path.join(folder, name);
  let pending: (() => Readonly<Record<string, unknown>>) | undefined;

  function flush(): void {
    const make = pending;
    pending = undefined;
    if (!make) return;
    const draft = `${file}.${process.pid}.tmp`;
    try {
      mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(draft, JSON.stringify(make()), { mode: 0o600 });
      renameSync(draft, file);
    } catch {
      // A full or read-only disk costs the memory, not the service.
      removeIfCan(draft);
    }
  }

  return {
    read: () => readRecord(file),
    write(make) {
      if (!pending) clock.after(gatherMs, flush);
      pending = make;
    },
    flush,
    remove() {
      pending = undefined;
      removeIfCan(file);
    },
  };
}

/** `force` forgives a file that is not there, and nothing else. */
function removeIfCan(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Where nothing can be removed, nothing was written either.
  }
}

function readRecord(file: string): Readonly<Record<string, unknown>> {
  try {
    const text = readFileSync(file);
    if (text.length > maxFileBytes) return {};
    const value: unknown = JSON.parse(text.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}
