/**
 * Both eras before and behind the proxy: what the modern one costs beside the legacy one, and what it costs where
 * client and server are not of the same. In place of the floor stands the same proxy with legacy clients and servers; and,
 * because a modern message is two to three times as long for whoever carries it, the floor with the same messages.
 */
import { startFloor } from '../floor-process.mjs';
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

const legacySide = { modern: false, era: 'legacy' };
const modernSide = { modern: true, era: 'modern' };

export async function measure({ quick }) {
  return [...(await throughputs(quick)), ...(await handshakes(quick))];
}

async function throughputs(quick) {
  const seconds = quick ? 1 : 3;
  const proxies = { legacy: await startProxy(), modern: await startProxy({ era: 'modern' }) };
  const floors = { legacy: await startFloor(), modern: await startFloor({ era: 'modern' }) };
  const sides = await Promise.all([
    ...[legacySide, ...pairs].map((side) => opened(side, proxies[side.era])),
    ...[legacySide, modernSide].map((side) => opened(side, floors[side.era])),
  ]);
  for (const { load } of sides) await load.run({ seconds });
  for (let round = 0; round < rounds; round++)
    for (const { load, runs } of sides) runs.push(await load.run({ seconds }));
  for (const { load } of sides) await load.stop();
  for (const bridge of [...Object.values(proxies), ...Object.values(floors)]) await bridge.stop();
  const [legacy, modern, ...others] = sides;
  const [modernFloor, legacyFloor] = [others.pop(), others.pop()];
  return [
    ...[modern, ...others].map((side) => throughputRow(side, legacy)),
    besideFloorRow({ modern, modernFloor, legacy, legacyFloor }),
  ];
}

async function opened(side, bridge) {
  const load = startLoad();
  const callers = [{ key: bridge.keys?.[0], connections, sessions: connections, modern: side.modern }];
  await load.open({ url: bridge.url, callers });
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

/** What the modern era costs on top of a bare bridge with the same messages, beside what the legacy one does. */
function besideFloorRow({ modern, modernFloor, legacy, legacyFloor }) {
  const of = ({ runs }) => runs.map(({ perSecond }) => perSecond);
  const ratioOf = (ours, floor) => medianOfPairs(of(ours), of(floor), (one, other) => one / other);
  const [ratio, plain] = [ratioOf(modern, modernFloor), ratioOf(legacy, legacyFloor)];
  return {
    what: 'calls/s, modern, beside a floor with modern messages',
    floor: spread(of(modernFloor), 0),
    proxy: spread(of(modern), 0),
    result: `${ratio.toFixed(2)} ×`,
    target: `≥ ${plain.toFixed(2)} ×`,
    reached: ratio >= plain,
    value: ratio / plain,
    note:
      failures([...modern.runs, ...modernFloor.runs]) ??
      'the target is the same figure of the legacy era, of this run',
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
