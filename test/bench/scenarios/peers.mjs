/**
 * The same worker behind other bridges, once with all clients in one session and once with a session each, as
 * clients have. Some peers start a process for each session, and 32 of them share the machine's processors.
 */
import { startLoad } from '../load-process.mjs';
import { medianOfPairs, spread } from '../numbers.mjs';
import { install, peers, startPeer } from '../peers.mjs';
import { startProxy } from '../proxy.mjs';
import { failures } from '../table.mjs';

export const name = 'peers';
const rounds = 5;
const connections = 32;
const target = 10;
const warmUpFactor = 2;

export async function measure({ quick }) {
  install();
  const seconds = quick ? 1 : 3;
  const rows = [];
  for (const peer of peers)
    for (const sessions of [1, connections]) rows.push(await against(peer, sessions, seconds));
  return rows;
}

async function against(peer, sessions, seconds) {
  const bridges = [
    await prepare(await startPeer(peer), sessions),
    await prepare(await startProxy(), sessions),
  ];
  // Some of them need seconds until their code is compiled.
  for (const { load } of bridges) await load.run({ seconds: warmUpFactor * seconds });
  for (let round = 0; round < rounds; round++)
    for (const { load, runs } of bridges) runs.push(await load.run({ seconds }));
  for (const { load, stop } of bridges) {
    await load.close();
    await load.stop();
    await stop();
  }
  return row(peer, sessions, ...bridges.map(({ runs }) => runs));
}

async function prepare(bridge, sessions) {
  const load = startLoad();
  const [key] = bridge.keys ?? [];
  await load.open({ url: bridge.url, callers: [{ key, connections, sessions }] });
  return { ...bridge, load, runs: [] };
}

function row(peer, sessions, theirs, ours) {
  const of = (runs) => runs.map(({ perSecond }) => perSecond);
  const ratio = medianOfPairs(of(ours), of(theirs), (our, their) => our / their);
  return {
    what: `calls/s, ${connections} connections, sessions: ${sessions} (floor: ${peer.package})`,
    floor: spread(of(theirs), 0),
    proxy: spread(of(ours), 0),
    result: `${ratio.toFixed(1)} ×`,
    target: `≥ ${target} ×`,
    reached: ratio >= target,
    value: ratio,
    note: failures([...theirs, ...ours]),
  };
}
