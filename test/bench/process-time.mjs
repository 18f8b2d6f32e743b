/** What a process has cost so far, as the kernel counts it (Linux). */
import { readdirSync, readFileSync } from 'node:fs';

const nsPerMs = 1e6;
const bytesPerKb = 1024;
/** USER_HZ is 100 wherever Node runs on Linux. */
export const msPerTick = 10;

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

/**
 * Processor time of this process and of all that it started and that have ended, in milliseconds. It is only right
 * once they have, and if each of them has waited for its own.
 */
export function ownProcessorMs() {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1].split(' ');
  // utime, stime, cutime and cstime (proc_pid_stat(5)), in ticks.
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * msPerTick, 0);
}

/** Resident memory in bytes. */
export function residentBytes(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]) * bytesPerKb;
}
