/** Many tenants at once: processes are started once and used again, and nobody gets an error for being early. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { workerFile } from '../floor-process.mjs';
import { startLoad } from '../load-process.mjs';
import { decimals, percent } from '../numbers.mjs';
import { environment } from '../processes.mjs';
import { startProxy } from '../proxy.mjs';
import { addedMsRow, failures } from '../table.mjs';

export const name = 'tenants';
const tenants = 100;
const sessionsEach = 10;
const coldStarts = 15;

export async function measure({ quick }) {
  return [...(await crowd(quick ? 5 : 20)), await coldStart(quick ? 7 : coldStarts)];
}

/** Every session is a client with a connection of its own, so all of them ask at the same time. */
async function crowd(rounds) {
  const proxy = await startProxy({ tenants });
  const load = startLoad();
  const callers = proxy.keys.map((key) => ({ key, connections: sessionsEach, sessions: sessionsEach }));
  const startedAt = performance.now();
  await load.open({ url: proxy.url, callers });
  const openedMs = performance.now() - startedAt;
  const run = await load.run({ callsEach: rounds });
  const { totals } = await proxy.status();
  await load.close();
  await load.stop();
  await proxy.stop();
  return [crowdRow(run, rounds, openedMs), reuseRow(totals)];
}

function crowdRow(run, rounds, openedMs) {
  const concurrent = tenants * sessionsEach;
  return {
    what: `${tenants} tenants, ${decimals(concurrent, 0)} requests at once`,
    proxy: `${decimals(run.calls, 0)} calls, ${decimals(run.perSecond, 0)}/s`,
    result: `${run.errors} errors`,
    target: '0 errors',
    reached: run.errors === 0 && run.calls === concurrent * rounds,
    value: run.errors,
    note:
      failures([run]) ??
      `all sessions open after ${decimals(openedMs / 1000, 1)} s (${tenants} processes started); ` +
        `then p50 ${run.p50Ms.toFixed(0)} ms, p99 ${run.p99Ms.toFixed(0)} ms`,
  };
}

function reuseRow({ reuseRatio, totalAcquired, totalCreated }) {
  return {
    what: 'workers used again',
    proxy: `${decimals(totalCreated, 0)} started for ${decimals(totalAcquired, 0)}`,
    result: percent(reuseRatio),
    target: '> 90 %',
    reached: reuseRatio > 0.9,
    value: reuseRatio,
  };
}

/** The first call of a tenant nobody has asked for yet, beside what its server takes to start without us. */
async function coldStart(count) {
  const proxy = await startProxy({ tenants: count + 1 });
  const load = startLoad();
  const [warmUpKey, ...keys] = proxy.keys;
  await load.firstCall({ url: proxy.url, key: warmUpKey });
  await directStart();
  const direct = [];
  const proxied = [];
  for (const key of keys) {
    direct.push(await directStart());
    proxied.push(await load.firstCall({ url: proxy.url, key }));
  }
  await load.stop();
  await proxy.stop();
  const what = 'first call of a cold tenant, ms (floor: its worker alone)';
  return addedMsRow(direct, proxied, { what, most: 20 });
}

/** From `spawn` to the answer of the first call, spoken to over its pipes. */
async function directStart() {
  const startedAt = performance.now();
  const worker = spawn(process.execPath, [workerFile], {
    env: environment,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const say = (message) => worker.stdin.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\n');
  const params = {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1' },
  };
  say({ id: 1, method: 'initialize', params });
  await once(worker.stdout, 'data');
  say({ method: 'notifications/initialized' });
  say({ id: 2, method: 'tools/call', params: { name: 'echo', arguments: { text: 'first' } } });
  await once(worker.stdout, 'data');
  const tookMs = performance.now() - startedAt;
  worker.stdin.end();
  await once(worker, 'exit');
  return tookMs;
}
