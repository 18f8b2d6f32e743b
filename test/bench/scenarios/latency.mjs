/** One client, one call at a time: what the way through the proxy adds to an answer when nothing else happens. */
import { startFloor } from '../floor-process.mjs';
import { startLoad } from '../load-process.mjs';
import { medianOfPairs, spread } from '../numbers.mjs';
import { startProxy } from '../proxy.mjs';
import { failures } from '../table.mjs';

export const name = 'latency';
const rounds = 5;

export async function measure({ quick }) {
  const seconds = quick ? 0.5 : 2;
  const bridges = [await prepare(await startFloor()), await prepare(await startProxy())];
  for (const { load } of bridges) await load.run({ seconds });
  for (let round = 0; round < rounds; round++)
    for (const { load, runs } of bridges) runs.push(await load.run({ seconds }));
  for (const { load, stop } of bridges) {
    await load.close();
    await load.stop();
    await stop();
  }
  const [floor, proxy] = bridges.map(({ runs }) => runs);
  return [p50Row(floor, proxy), p99Row(floor, proxy)];
}

async function prepare(bridge) {
  const load = startLoad();
  const [key] = bridge.keys ?? [];
  await load.open({ url: bridge.url, callers: [{ key, connections: 1, sessions: 1 }] });
  return { ...bridge, load, runs: [] };
}

function p50Row(floor, proxy) {
  const of = (runs) => runs.map(({ p50Ms }) => p50Ms);
  const added = medianOfPairs(of(proxy), of(floor), (ours, theirs) => ours - theirs);
  return {
    what: 'p50 of one client, ms',
    floor: spread(of(floor), 3),
    proxy: spread(of(proxy), 3),
    result: `${added.toFixed(3)} ms more`,
    target: '≤ 0.15 ms more',
    reached: added <= 0.15,
    value: added,
    note: failures([...floor, ...proxy]),
  };
}

function p99Row(floor, proxy) {
  const of = (runs) => runs.map(({ p99Ms }) => p99Ms);
  const added = medianOfPairs(of(proxy), of(floor), (ours, theirs) => ours - theirs);
  return {
    what: 'p99 of one client, ms',
    floor: spread(of(floor), 3),
    proxy: spread(of(proxy), 3),
    result: `${added.toFixed(3)} ms more`,
    value: added,
  };
}
