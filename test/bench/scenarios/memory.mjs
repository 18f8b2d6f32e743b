/**
 * What the proxy's own process holds: with many tenants, after many calls, and for each session that nobody uses.
 * It runs as its users run it: no `--expose-gc`. Resident memory follows the garbage collector with a delay, so
 * every figure is the least of several seconds, and sessions are counted in tens of thousands: what one costs is then
 * many times what the collector leaves lying about.
 */
import { startLoad } from '../load-process.mjs';
import { decimals, megabytes } from '../numbers.mjs';
import { residentBytes } from '../process-time.mjs';
import { startProxy } from '../proxy.mjs';
import { failures } from '../table.mjs';

export const name = 'memory';
const tenants = 1000;
const liveTenants = 20;
const connectionsEach = 2;
/** The first of them grow the heap for young objects to its full size, which is not the sessions' fault. */
const idleSessions = { first: 2_000, more: 20_000 };
const most = { megabytes: 120, growth: 0.1, kbPerSession: 20 };

export async function measure({ quick }) {
  const settleMs = quick ? 1500 : 5000;
  return [...(await underCalls(quick, settleMs)), await withIdleSessions(settleMs)];
}

async function underCalls(quick, settleMs) {
  const calls = quick ? [10_000, 40_000] : [50_000, 200_000];
  const proxy = await startProxy({ tenants });
  const load = startLoad();
  const keys = proxy.keys.slice(0, liveTenants);
  const held = () => settled(proxy.pid, settleMs);
  const atStart = await held();
  const callers = keys.map((key) => ({ key, connections: connectionsEach, sessions: connectionsEach }));
  await load.open({ url: proxy.url, callers });
  const withWorkers = await held();
  const early = await callsThenHeld(load, calls[0], held);
  const late = await callsThenHeld(load, calls[1] - calls[0], held);
  await load.close();
  await load.stop();
  await proxy.stop();
  const steps = { atStart, withWorkers, early: early.bytes, late: late.bytes };
  return [sizeRow(steps, calls), growthRow(steps, calls, [early.run, late.run])];
}

async function callsThenHeld(load, calls, held) {
  const run = await load.run({ callsEach: calls / (liveTenants * connectionsEach) });
  return { run, bytes: await held() };
}

/** They are opened and left alone, as by clients that never say goodbye. Nobody listens on them. */
async function withIdleSessions(settleMs) {
  const settings = 'sessions: { max: 100000, maxPerTenant: 100000 }\n';
  const proxy = await startProxy({ tenants: liveTenants, settings });
  const load = startLoad();
  const open = (count) =>
    load.leaveOpen({ url: proxy.url, keys: proxy.keys, count: count / proxy.keys.length });
  await open(idleSessions.first);
  const before = await settled(proxy.pid, settleMs);
  await open(idleSessions.more);
  const after = await settled(proxy.pid, settleMs);
  const { totals } = await proxy.status();
  await load.stop();
  await proxy.stop();
  return sessionRow(after - before, totals.sessions);
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

const mb = (bytes) => decimals(megabytes(bytes), 1);

function sizeRow({ atStart, withWorkers, early, late }, calls) {
  const largest = Math.max(withWorkers, early, late);
  return {
    what: `memory, ${decimals(tenants, 0)} tenants, ${liveTenants} workers, MB`,
    proxy: [atStart, withWorkers, early, late].map(mb).join(' → '),
    result: `${mb(largest)} MB`,
    target: `≤ ${most.megabytes} MB`,
    reached: megabytes(largest) <= most.megabytes,
    value: megabytes(largest),
    note: `at the start → with ${liveTenants} workers → after ${calls.map((count) => decimals(count, 0)).join(' → ')} calls`,
  };
}

function growthRow({ early, late }, [few, many], runs) {
  const growth = late / early - 1;
  return {
    what: `memory, growth from ${decimals(few, 0)} to ${decimals(many, 0)} calls`,
    proxy: `${mb(late - early)} MB`,
    result: `${decimals(growth * 100, 1)} %`,
    target: `≤ ${most.growth * 100} %`,
    reached: growth <= most.growth,
    value: growth,
    note: failures(runs),
  };
}

/** Should the proxy have closed some, for want of room, the figure would be too good: so they are counted. */
function sessionRow(bytes, open) {
  const { first, more } = idleSessions;
  const kbEach = bytes / more / 1024;
  const areAllThere = open === first + more;
  return {
    what: `memory of one idle session, of ${decimals(more, 0)}, KB`,
    proxy: `${mb(bytes)} MB`,
    result: `${decimals(kbEach, 1)} KB`,
    target: `≤ ${most.kbPerSession} KB`,
    reached: areAllThere ? kbEach <= most.kbPerSession : undefined,
    value: kbEach,
    note: areAllThere ? undefined : `only ${open} sessions are open: the figure is worthless`,
  };
}
