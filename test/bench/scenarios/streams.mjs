/**
 * Event streams: what an answer costs that is one, and what those cost on which nothing is said. Streams are opened
 * on sessions that are there already, so that what is measured is the stream and its connection.
 */
import { execFileSync } from 'node:child_process';
import { startLoad } from '../load-process.mjs';
import { decimals, median, medianOfPairs, megabytes, spread } from '../numbers.mjs';
import { residentBytes } from '../process-time.mjs';
import { startProxy } from '../proxy.mjs';
import { failures } from '../table.mjs';

export const name = 'streams';
const rounds = 5;
const connections = 32;
const tenants = 20;
/** Files that a process has open beside its streams. */
const otherFiles = 500;
const most = { kbPerStream: 20, slower: 0.1 };
const settings = `limits: { connections: 20000 }
sessions: { max: 20000, maxPerTenant: 20000 }
`;

export async function measure({ quick }) {
  return [await answers(quick), ...(await openStreams(quick))];
}

async function answers(quick) {
  const seconds = quick ? 1 : 3;
  const proxy = await startProxy();
  const [key] = proxy.keys;
  const loads = [false, true].map((progress) => ({ load: startLoad(), progress, runs: [] }));
  for (const { load, progress } of loads) {
    await load.open({ url: proxy.url, callers: [{ key, connections, sessions: connections, progress }] });
    await load.run({ seconds });
  }
  for (let round = 0; round < rounds; round++)
    for (const { load, runs } of loads) runs.push(await load.run({ seconds }));
  for (const { load } of loads) {
    await load.close();
    await load.stop();
  }
  await proxy.stop();
  return answersRow(...loads.map(({ runs }) => runs));
}

function answersRow(json, events) {
  const of = (runs) => runs.map(({ perSecond }) => perSecond);
  const ratio = medianOfPairs(of(events), of(json), (streamed, plain) => streamed / plain);
  return {
    what: 'calls/s answered by events, to those by JSON',
    floor: spread(of(json), 0),
    proxy: spread(of(events), 0),
    result: `${ratio.toFixed(2)} ×`,
    target: '≥ 0.7 ×',
    reached: ratio >= 0.7,
    value: ratio,
    note: failures([...json, ...events]) ?? 'in place of the floor: the same proxy, answering in JSON',
  };
}

/** As many as this machine lets a process have, 10,000 at most. */
function streamCount(quick) {
  const files = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim();
  const allowed = files === 'unlimited' ? Infinity : Number(files) - otherFiles;
  const wanted = quick ? 2000 : 10_000;
  return Math.floor(Math.min(wanted, allowed) / tenants);
}

async function openStreams(quick) {
  const [seconds, settleMs] = quick ? [1, 1500] : [3, 5000];
  const proxy = await startProxy({ tenants, settings });
  const listening = startLoad();
  const load = startLoad();
  const [key] = proxy.keys;
  await load.open({ url: proxy.url, callers: [{ key, connections: 1, sessions: 1 }] });
  await listening.prepareListeners({ url: proxy.url, keys: proxy.keys, count: streamCount(quick) });
  await load.run({ seconds });
  const without = await runs(load, seconds);
  const before = await settled(proxy.pid, settleMs);
  const count = await listening.listen();
  const after = await settled(proxy.pid, settleMs);
  const beside = await runs(load, seconds);
  await listening.close();
  const again = await runs(load, seconds);
  await load.stop();
  await listening.stop();
  await proxy.stop();
  return [memoryRow(after - before, count), p50Row([...without, ...again], beside)];
}

async function runs(load, seconds) {
  const all = [];
  for (let round = 0; round < rounds; round++) all.push(await load.run({ seconds }));
  return all;
}

async function settled(pid, forMs) {
  const endAt = performance.now() + forMs;
  let least = Infinity;
  while (performance.now() < endAt) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    least = Math.min(least, residentBytes(pid));
  }
  return least;
}

function memoryRow(bytes, count) {
  const kbEach = bytes / count / 1024;
  return {
    what: `memory of one open stream, of ${decimals(count, 0)}, KB`,
    proxy: `${decimals(megabytes(bytes), 1)} MB`,
    result: `${decimals(kbEach, 1)} KB`,
    target: `≤ ${most.kbPerStream} KB`,
    reached: kbEach <= most.kbPerStream,
    value: kbEach,
  };
}

function p50Row(without, beside) {
  const of = (some) => some.map(({ p50Ms }) => p50Ms);
  const slower = median(of(beside)) / median(of(without)) - 1;
  return {
    what: 'p50 of one client beside them, ms',
    floor: spread(of(without), 3),
    proxy: spread(of(beside), 3),
    result: `${decimals(slower * 100, 1)} %`,
    target: `≤ ${most.slower * 100} %`,
    reached: slower <= most.slower,
    value: slower,
    note:
      failures([...without, ...beside]) ??
      'in place of the floor: the same proxy before and after, without them',
  };
}
