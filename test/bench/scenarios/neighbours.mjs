/**
 * What a hostile server costs another tenant: the times of a quiet client, one call at a time, alone and beside a server
 * that misbehaves, in turns. Both with control groups around servers, where they work here, and without.
 */
import { fileURLToPath } from 'node:url';
import { loaded } from '../loaded.mjs';
import { startLoad } from '../load-process.mjs';
import { medianOfPairs, spread } from '../numbers.mjs';
import { startProxy } from '../proxy.mjs';
import { failures } from '../table.mjs';

export const name = 'neighbours';
const hostile = fileURLToPath(new URL('../hostile.mjs', import.meta.url));
const modes = {
  spin: '8 processes that spin',
  fork: 'a fork bomb of processes that spin',
  hog: 'a memory hog',
  flood: 'a flood without a newline',
  notify: 'a flood of notifications',
};
const rounds = 5;
const most = 1.2;
/** The first thousands of calls are slower than all that follow. */
const warmSeconds = 3;
/** How long it takes until a server does its worst, and until that is over, in milliseconds. */
const settleMs = 300;
/** Between two calls of the hostile tenant: its server may have been ended, and starts anew. */
const betweenMs = 200;

export async function measure({ quick }) {
  const seconds = quick ? 0.5 : 1;
  const rows = [];
  for (const mode of Object.keys(modes))
    for (const cgroups of ['auto', 'none']) rows.push(await beside(mode, cgroups, seconds));
  return rows;
}

async function beside(mode, cgroups, seconds) {
  const forMs = settleMs + seconds * 1000;
  const limits = 'limits: { memory: 768MiB, processes: 200 }';
  const settings = `workers: { cgroups: ${cgroups}, ${limits} }\n`;
  const servers = [undefined, [hostile, mode, forMs]];
  const proxy = await startProxy({ tenants: 2, settings, servers });
  const { isolation, cgroups: inForce } = await proxy.status();
  const quiet = await loaded(proxy, 1);
  const noisy = startLoad();
  await quiet.load.run({ seconds: warmSeconds });
  const [alone, troubled] = [[], []];
  for (let round = 0; round < rounds; round++) {
    alone.push(await quiet.load.run({ seconds }));
    const noise = keepCalling(noisy, { url: proxy.url, key: proxy.keys[1] }, forMs);
    await pause(settleMs);
    troubled.push(await quiet.load.run({ seconds }));
    await noise;
    await pause(settleMs);
  }
  await noisy.stop();
  await quiet.load.close();
  await quiet.load.stop();
  await proxy.stop();
  const held = inForce ? 'with cgroups' : 'no cgroups';
  return rowOf({ what: `p99 beside ${modes[mode]}, ${held}, ms`, alone, troubled, where: isolation });
}

/** It is let misbehave anew as often as the proxy ends it. */
async function keepCalling(load, whom, forMs) {
  for (const endAt = performance.now() + forMs; performance.now() < endAt; await pause(betweenMs))
    await Promise.race([load.firstCall(whom).catch(() => undefined), pause(forMs)]);
}

function rowOf({ what, alone, troubled, where }) {
  const ratioOf = (of) => medianOfPairs(troubled.map(of), alone.map(of), (ours, theirs) => ours / theirs);
  const ratio = ratioOf(({ p99Ms }) => p99Ms);
  const failed = failures([...alone, ...troubled]);
  const p50 = `p50 ${ratioOf(({ p50Ms }) => p50Ms).toFixed(2)} x`;
  return {
    what,
    floor: spread(
      alone.map(({ p99Ms }) => p99Ms),
      2,
    ),
    proxy: spread(
      troubled.map(({ p99Ms }) => p99Ms),
      2,
    ),
    result: `${ratio.toFixed(2)} x`,
    target: `≤ ${most} x`,
    reached: failed === undefined ? ratio <= most : undefined,
    value: ratio,
    note: [`${where}; ${p50}`, failed].filter(Boolean).join('; '),
  };
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
