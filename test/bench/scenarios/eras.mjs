/**
 * Both eras before and behind the proxy: what the modern one costs beside the legacy one, and what it costs where
 * client and server are not of the same. In place of the floor stands the same proxy with legacy clients and servers.
 */
import { startLoad } from '../load-process.mjs';
import { median, medianOfPairs, spread } from '../numbers.mjs';
import { startProxy } from '../proxy.mjs';
import { failures } from '../table.mjs';

export const name = 'eras';
const rounds = 5;
const connections = 32;

/** Each with what it is compared with. */
const pairs = [
  { what: 'modern clients and servers', modern: true, era: 'modern', atLeast: 1 },
  { what: 'modern clients, legacy servers', modern: true, era: 'legacy', atLeast: 0.7 },
  { what: 'legacy clients, modern servers', modern: false, era: 'modern', atLeast: 0.7 },
];

export async function measure({ quick }) {
  return [...(await throughputs(quick)), ...(await handshakes(quick))];
}

async function throughputs(quick) {
  const seconds = quick ? 1 : 3;
  const proxies = { legacy: await startProxy(), modern: await startProxy({ era: 'modern' }) };
  const sides = await Promise.all(
    [{ modern: false, era: 'legacy' }, ...pairs].map((side) => opened(side, proxies[side.era])),
  );
  for (const { load } of sides) await load.run({ seconds });
  for (let round = 0; round < rounds; round++)
    for (const { load, runs } of sides) runs.push(await load.run({ seconds }));
  for (const { load } of sides) await load.stop();
  for (const proxy of Object.values(proxies)) await proxy.stop();
  const [legacy, ...others] = sides;
  return others.map((side) => throughputRow(side, legacy));
}

async function opened(side, proxy) {
  const load = startLoad();
  const callers = [{ key: proxy.keys[0], connections, sessions: connections, modern: side.modern }];
  await load.open({ url: proxy.url, callers });
  return { ...side, load, runs: [] };
}

function throughputRow({ what, atLeast, runs }, legacy) {
  const of = (all) => all.map(({ perSecond }) => perSecond);
  const ratio = medianOfPairs(of(runs), of(legacy.runs), (ours, plain) => ours / plain);
  return {
    what: `calls/s, ${what}`,
    floor: spread(of(legacy.runs), 0),
    proxy: spread(of(runs), 0),
    result: `${ratio.toFixed(2)} ×`,
    target: `≥ ${atLeast} ×`,
    reached: ratio >= atLeast,
    value: ratio,
    note:
      failures([...runs, ...legacy.runs]) ?? 'in place of the floor: the same proxy, legacy on both sides',
  };
}

/** `initialize` at a server that is not running, known from before or not. */
async function handshakes(quick) {
  const count = quick ? 5 : 20;
  const proxy = await startProxy({ tenants: count + 1 });
  const load = startLoad();
  const [warmUpKey, ...keys] = proxy.keys;
  await load.firstCall({ url: proxy.url, key: warmUpKey });
  const times = { cold: [], remembered: [] };
  for (const key of keys) times.cold.push(await load.handshake({ url: proxy.url, key }));
  await untilReaped(proxy);
  for (const key of keys) times.remembered.push(await load.handshake({ url: proxy.url, key }));
  await load.stop();
  await proxy.stop();
  const took = median(times.remembered);
  return [
    {
      what: 'handshake of a cold tenant, ms (floor: not known from before)',
      floor: spread(times.cold, 1),
      proxy: spread(times.remembered, 1),
      result: `${took.toFixed(1)} ms`,
      target: '≤ 5 ms',
      reached: took <= 5,
      value: took,
    },
  ];
}

async function untilReaped(proxy) {
  await proxy.reap();
  while ((await proxy.status()).totals.workers > 0) await new Promise((resolve) => setTimeout(resolve, 50));
}
