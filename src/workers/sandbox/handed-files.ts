import { closeSync, openSync } from 'node:fs';

/** Does `start` with files open for reading, as descriptors for a process that is started there. */
export function withOpenFiles<Started>(
  files: readonly string[],
  start: (descriptors: readonly number[]) => Started,
): Started {
  const descriptors: number[] = [];
  try {
    for (const file of files) descriptors.push(openOrEmpty(file));
    return start(descriptors);
  } finally {
    descriptors.forEach(closed);
  }
}

/** Of no consequence for what was started. */
function closed(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // There is nothing that could be done about it.
  }
}

/** What has gone since it was looked for is as good as empty. */
function openOrEmpty(file: string): number {
  try {
    return openSync(file, 'r');
  } catch {
    return openSync('/dev/null', 'r');
  }
}
