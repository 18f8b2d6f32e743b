import { closeSync, existsSync, readdirSync, readFileSync } from 'node:fs';

/** O_CLOEXEC, as proc(5) `fdinfo` has it. */
const closedOnExec = 0o2000000;

/**
 * Closes what this process was started with beside its stdin, stdout and stderr: locks, logs and sockets of whoever
 * started it, which every process that it starts would have too. Node looks after the first sixteen or so, and stops
 * at a gap; its own are closed on exec, and stay.
 */
export function closeInherited(): void {
  for (const descriptor of openDescriptors())
    if (descriptor > 2 && isInherited(descriptor)) closeSync(descriptor);
}

function openDescriptors(): number[] {
  try {
    return readdirSync('/proc/self/fdinfo').map(Number);
  } catch {
    // A second look, for a failure of the moment; without /proc there is nothing to be seen.
    return existsSync('/proc/self/fdinfo') ? readdirSync('/proc/self/fdinfo').map(Number) : [];
  }
}

function isInherited(descriptor: number): boolean {
  try {
    const info = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1');
    const [, flags = '0'] = /^flags:\s+(\d+)$/m.exec(info) ?? [];
    return (Number.parseInt(flags, 8) & closedOnExec) === 0;
  } catch {
    // It was the one by which the folder was read.
    return false;
  }
}
