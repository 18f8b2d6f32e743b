/** A bridge and a load generator of its own: one that has seen two kinds of answers would be slower for both. */
import { startLoad } from './load-process.mjs';
import { processorMs } from './process-time.mjs';

/** So many clients, each with its own session, on the bridge's first key if it has keys. */
export async function loaded(bridge, connections) {
  const load = startLoad();
  const [key] = bridge.keys ?? [];
  await load.open({ url: bridge.url, callers: [{ key, connections, sessions: connections }] });
  return { ...bridge, load, runs: [] };
}

/** A run, with the processor time that the bridge took for it. */
export async function measuredRun({ load, pid }, seconds) {
  const before = processorMs(pid);
  const run = await load.run({ seconds });
  const spentMs = processorMs(pid) - before;
  return { ...run, usPerCall: (spentMs / run.calls) * 1000, busy: spentMs / (seconds * 1000) };
}

export async function end({ load, stop }) {
  await load.close();
  await load.stop();
  await stop();
}
