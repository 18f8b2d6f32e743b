/**
 * What the wall around workers costs, and what keeping secrets does: for each start of a worker, for each call, and for
 * everybody else while many start. `floor` is the proxy too, with processes only, without secrets, or at rest.
 */
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startLoad } from '../load-process.mjs';
import { end, loaded, measuredRun } from '../loaded.mjs';
import { decimals } from '../numbers.mjs';
import { startProxy } from '../proxy.mjs';
import { addedMsRow, failures, usPerCallRow } from '../table.mjs';

export const name = 'isolation';
const withoutWall = 'workers: { isolation: none }\n';
const loopDelay = fileURLToPath(new URL('../loop-delay.mjs', import.meta.url));
const connections = 32;
const rounds = 5;
const secrets = 200;
const storm = 50;
const waitMs = 2000;
const pollMs = 10;
/** A worker is put into its cgroup after its first call: that must not fall into the next one's. */
const afterMs = 400;

export async function measure({ quick }) {
  const seconds = quick ? 1 : 2;
  const manySecrets = Object.fromEntries(
    Array.from({ length: secrets }, (_, at) => [`SECRET_${at}`, `secret-number-${at}-of-a-tenant`]),
  );
  return [
    ...(await starts(quick ? 7 : 25)),
    await calls(seconds, {
      floor: { settings: withoutWall },
      proxy: {},
      what: 'processor time per call behind the wall, µs',
    }),
    await calls(seconds, {
      floor: {},
      proxy: { env: manySecrets },
      what: `processor time per call with ${secrets} secrets, µs`,
    }),
    await delays(),
  ];
}

/** A first call, for which a worker is started: of tenants that were never here, and again once their workers were ended. */
async function starts(count) {
  const sides = {
    floor: await startProxy({ tenants: count + 1, settings: withoutWall }),
    proxy: await startProxy({ tenants: count + 1 }),
  };
  const { isolation, cgroups } = await sides.proxy.status();
  const load = startLoad();
  const first = await firstCalls(load, sides, count);
  await Promise.all(Object.values(sides).map(untilReaped));
  const again = await firstCalls(load, sides, count);
  await load.stop();
  for (const each of Object.values(sides)) await each.stop();
  const note = `the wall here: ${isolation}, cgroups ${cgroups ?? 'none'}`;
  const row = (took, what) => ({ ...addedMsRow(took.floor, took.proxy, { what, most: 12 }), note });
  return [
    row(again, 'first call, worker not running, ms'),
    row(first, 'first call of a tenant that was never here, ms'),
  ];
}

async function firstCalls(load, { floor, proxy }, count) {
  const took = { floor: [], proxy: [] };
  for (let at = 0; at <= count; at++) {
    for (const [side, { url, keys }] of Object.entries({ floor, proxy })) {
      took[side].push(await load.firstCall({ url, key: keys[at] }));
      await pause(afterMs);
    }
  }
  return { floor: took.floor.slice(1), proxy: took.proxy.slice(1) };
}

async function untilReaped(proxy) {
  await proxy.reap();
  while ((await proxy.status()).totals.workers > 0)
    await new Promise((resolve) => setTimeout(resolve, pollMs));
}

async function calls(seconds, { floor, proxy, what }) {
  const sides = [];
  for (const options of [floor, proxy]) sides.push(await loaded(await startProxy(options), connections));
  for (const { load } of sides) await load.run({ seconds });
  for (let round = 0; round < rounds; round++)
    for (const side of sides) side.runs.push(await measuredRun(side, seconds));
  for (const side of sides) await end(side);
  const [theirs, ours] = sides.map(({ runs }) => runs);
  return { ...usPerCallRow(theirs, ours, { what, most: 1.05 }), note: failures([...theirs, ...ours]) };
}

/** How late the proxy's event loop is while the first calls of many cold tenants come at once. */
async function delays() {
  const proxy = await startProxy({ tenants: storm, nodeArgs: ['--import', loopDelay] });
  await delayOf(proxy);
  await pause(waitMs);
  const atRest = await delayOf(proxy);
  const load = startLoad();
  const startedAt = performance.now();
  await Promise.all(proxy.keys.map((key) => load.firstCall({ url: proxy.url, key })));
  const tookMs = performance.now() - startedAt;
  const inStorm = await delayOf(proxy);
  await load.stop();
  await proxy.stop();
  return {
    what: `delay of the event loop while ${storm} workers start, ms`,
    floor: `p99.9 ${atRest.p999Ms.toFixed(1)}`,
    proxy: `p99.9 ${inStorm.p999Ms.toFixed(1)}`,
    result: `at most ${inStorm.maxMs.toFixed(1)} ms`,
    target: 'p99.9 ≤ 100 ms',
    reached: inStorm.p999Ms <= 100,
    value: inStorm.p999Ms,
    note: `all ${storm} were answered after ${decimals(tookMs / 1000, 1)} s`,
  };
}

/** Since the last time it was asked. */
async function delayOf({ pid, folder }) {
  const file = path.join(folder, 'loop-delay.json');
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  for (const endAt = performance.now() + waitMs; performance.now() < endAt; await pause(pollMs)) {
    try {
      return JSON.parse(readFileSync(file, 'utf8'));
    } catch {
      // Not yet.
    }
  }
  throw new Error('the proxy does not tell how late its event loop is');
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
