/** Starts `floor.mjs`, the bare bridge that everything is compared with. */
import { fileURLToPath } from 'node:url';
import { firstMessage, start, stop } from './processes.mjs';

const fileOf = (name) => fileURLToPath(new URL(name, import.meta.url));
export const workerFile = fileOf('worker.mjs');

export async function startFloor({ era = 'legacy' } = {}) {
  const floor = start([fileOf('floor.mjs'), workerFile, era], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const { url } = await firstMessage(floor);
  return { url, pid: floor.pid, stop: () => stop(floor) };
}
