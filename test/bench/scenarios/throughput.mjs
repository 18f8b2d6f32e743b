/**
 * 32 clients, each with its own session, as fast as they can. The two take turns on one machine, so what disturbs one
 * disturbs the other. The processor time comes from the same runs: it is the steadier figure of the two, because
 * what other processes do meanwhile does not count in it.
 */
import { startFloor } from '../floor-process.mjs';
import { end, loaded, measuredRun } from '../loaded.mjs';
import { median, medianOfPairs, percent, spread } from '../numbers.mjs';
import { startProxy } from '../proxy.mjs';
import { failures, usPerCallRow } from '../table.mjs';

export const name = 'throughput';
const rounds = 5;
const connections = 32;

export async function measure({ quick, nodeArgs }) {
  const seconds = quick ? 1 : 3;
  const floor = await loaded(await startFloor(), connections);
  const proxy = await loaded(await startProxy({ nodeArgs }), connections);
  for (const bridge of [floor, proxy]) await bridge.load.run({ seconds });
  for (let round = 0; round < rounds; round++)
    for (const bridge of [floor, proxy]) bridge.runs.push(await measuredRun(bridge, seconds));
  for (const bridge of [floor, proxy]) await end(bridge);
  return [throughputRow(floor.runs, proxy.runs), processorRow(floor.runs, proxy.runs)];
}

function throughputRow(floor, proxy) {
  const of = (runs) => runs.map(({ perSecond }) => perSecond);
  const ratio = medianOfPairs(of(proxy), of(floor), (ours, theirs) => ours / theirs);
  return {
    what: `calls/s, ${connections} connections`,
    floor: spread(of(floor), 0),
    proxy: spread(of(proxy), 0),
    result: `${ratio.toFixed(2)} ×`,
    target: '≥ 0.6 ×',
    reached: ratio >= 0.6,
    value: ratio,
    note: failures([...floor, ...proxy]) ?? busyness(floor, proxy),
  };
}

/** Well below 100 % it was not the bridge that limited the run, and the ratio says less than it seems to. */
function busyness(floor, proxy) {
  const busy = (runs) => percent(median(runs.map((run) => run.busy)));
  const p99 = (runs) => median(runs.map(({ p99Ms }) => p99Ms)).toFixed(2);
  return `floor's processor ${busy(floor)} busy, proxy's ${busy(proxy)}; p99 ${p99(floor)} and ${p99(proxy)} ms`;
}

function processorRow(floor, proxy) {
  return usPerCallRow(floor, proxy, { what: 'processor time per call, µs', most: 1.6 });
}
