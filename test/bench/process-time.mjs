/** What a process has cost so far, as the kernel counts it (Linux). */
import { readdirSync, readFileSync } from 'node:fs';

const nsPerMs = 1e6;
const bytesPerKb = 1024;

/**
 * Processor time of all threads in milliseconds. `schedstat` counts nanoseconds, `stat` only hundredths of a second;
 * it is kept for each thread, and garbage collection in Node has threads of its own.
 */
export function processorMs(pid) {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ', 1)[0]);
  }
  return ns / nsPerMs;
}

/** Resident memory in bytes. */
export function residentBytes(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]) * bytesPerKb;
}
