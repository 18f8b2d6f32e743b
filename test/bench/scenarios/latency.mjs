/** One client, one call at a time: what the way through the proxy adds to an answer when nothing else happens. */
import { startFloor } from '../floor-process.mjs';
import { end, loaded } from '../loaded.mjs';
import { medianOfPairs, spread } from '../numbers.mjs';
import { startProxy } from '../proxy.mjs';
import { addedMsRow, failures } from '../table.mjs';

export const name = 'latency';
const rounds = 5;

export async function measure({ quick }) {
  const seconds = quick ? 0.5 : 2;
  const bridges = [await loaded(await startFloor(), 1), await loaded(await startProxy(), 1)];
  for (const { load } of bridges) await load.run({ seconds });
  for (let round = 0; round < rounds; round++)
    for (const { load, runs } of bridges) runs.push(await load.run({ seconds }));
  for (const bridge of bridges) await end(bridge);
  const [floor, proxy] = bridges.map(({ runs }) => runs);
  return [p50Row(floor, proxy), p99Row(floor, proxy)];
}

function p50Row(floor, proxy) {
  const of = (runs) => runs.map(({ p50Ms }) => p50Ms);
  const what = 'p50 of one client, ms';
  const row = addedMsRow(of(floor), of(proxy), { what, digits: 3, most: 0.15 });
  return { ...row, note: failures([...floor, ...proxy]) };
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
