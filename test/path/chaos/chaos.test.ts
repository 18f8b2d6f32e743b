import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, onTestFailed, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { fixture, processesWith, type RunningProxy, startProxy } from '../../support/start-proxy.ts';
import { gather, type Habit } from './crowd.ts';
import { History } from './history.ts';
import { watchMemory } from './memory.ts';
import { Random } from './random.ts';

/**
 * Many clients of many tenants, while servers are killed, settings change for better and worse, and everything is asked
 * for at once. Afterwards two witnesses are compared: clients and servers. `npm run soak` does it for a quarter of an hour;
 * `CHAOS_SEED` does again what went wrong, `CHAOS_SECONDS` says for how long.
 */
const isSoak = process.env['SOAK'] !== undefined;
const seconds = Number(process.env['CHAOS_SECONDS'] ?? (isSoak ? 900 : 4));
const seed = Number(process.env['CHAOS_SEED'] ?? randomInt(2 ** 31));
const tenants = ['acme', 'globex', 'initech', 'umbrella'];
/** Different in how sessions share a process. */
const pools = [
  'pool: { max: 2, concurrency: 4, queue: 6, wait: 500ms }',
  'pool: { max: 3, sharing: leased }',
  'pool: { max: 8, sharing: exclusive }',
  'pool: { max: 1, idle: 100ms }',
];

let proxy: RunningProxy | undefined;
let history: History;
const mark = `chaos-${process.pid}-${seed}`;

function yamlOf(tenant: string, generation: number): string {
  const env = {
    CANARY: `canary-of-${tenant}`,
    GENERATION: `${generation}`,
    RECORDER: `${history.port}`,
    MARK: mark,
  };
  return `tenant: ${tenant}
server:
  command: ${JSON.stringify(process.execPath)}
  args: [${JSON.stringify(fixture('recorder'))}]
  env: ${JSON.stringify(env)}
${pools[tenants.indexOf(tenant)]}
`;
}

async function start(): Promise<RunningProxy> {
  history = await History.open();
  proxy = await startProxy({
    tenants: Object.fromEntries(tenants.map((tenant) => [tenant, yamlOf(tenant, 0)])),
    // However slow the machine: what is looked for is what is lost.
    config: 'workers: { max: 10, sweepEvery: 50ms, stopGrace: 300ms }\nlimits: { loopDelay: 0s }',
  });
  return proxy;
}

afterEach(async () => {
  await proxy?.stop();
  history.close();
  proxy = undefined;
  await eventually(() => processesWith(mark).length === 0);
});

/** What happens to the proxy meanwhile. */
type Blow = (running: RunningProxy, random: Random) => Promise<void> | void;

let generation = 0;
const reload: Blow = (running, random) => {
  const tenant = random.of(tenants);
  running.write(tenant, yamlOf(tenant, ++generation));
};
const kill: Blow = async (running, random) => {
  const pids = (await running.status()).tenants.flatMap(({ workers }) => workers.map(({ pid }) => pid));
  if (pids.length === 0) return;
  try {
    process.kill(random.of(pids), 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
};
/** Files that are not sound, or whose server does not start: the last good ones go on. */
const spoil: Blow = async (running, random) => {
  const tenant = random.of(tenants);
  const sound = yamlOf(tenant, ++generation);
  running.write(tenant, random.of([`${sound}\n]`, sound.replace('recorder', 'crashing')]));
  await pause(random.below(300));
  running.write(tenant, sound);
};

/** How much longer it may go on until something has come of it, in milliseconds. */
const patienceMs = 30_000;

/** Rains blows for the time of the test, one after the other, and on a slow machine until they have shown. */
async function strike(running: RunningProxy, random: Random, { blows, hasShown }: Storm): Promise<void> {
  const endAt = performance.now() + seconds * 1000;
  const isOver = () => performance.now() >= endAt && (hasShown() || performance.now() >= endAt + patienceMs);
  while (!isOver()) {
    await pause(50 + random.below(300));
    await random.of(blows)(running, random);
  }
}

interface Storm {
  readonly habits: readonly Habit[];
  readonly blows: readonly Blow[];
  readonly clientsEach: number;
  /** Was it no empty exercise? */
  readonly hasShown: () => boolean;
}

async function play(storm: Storm): Promise<void> {
  onTestFailed(() => console.log(`CHAOS_SEED=${seed}`));
  const random = new Random(seed);
  const running = await start();
  const crowd = gather({ proxy: running, history, random, tenants, ...storm });
  const memory = watchMemory(running.pid);
  await strike(running, random, storm);
  await crowd.stop();
  const held = memory.stop();
  // What a server told before it answered may be heard after the answer.
  await running.stop();
  await eventually(() => history.isComplete);
  expect(history.violations()).toEqual([]);
  if (!isSoak) return;
  console.log(
    `${history.ended.length} calls, ${generation} changes of settings; memory in MiB: ${held.join(' ')}`,
  );
  // After the first third, all that is kept has been kept once.
  const [, middle = 0, last = 0] = held;
  expect(last).toBeLessThan(middle * 1.1 + 10);
}

const countOf = (outcome: string) => history.ended.filter((call) => call.outcome === outcome).length;

test(
  'whatever happens: no foreign byte, one end for each call, nothing executed twice, no process left',
  async () => {
    const habits: Habit[] = [
      'call',
      'call',
      'call',
      'call',
      'modern',
      'callOff',
      'leave',
      'reopen',
      'trespass',
    ];
    const hasShown = () => countOf('ok') > 20 && countOf('CRASHED') > 0 && countOf('SESSION_NOT_FOUND') > 0;
    await play({ habits, blows: [kill, kill, reload, spoil], clientsEach: 4, hasShown });
    expect(countOf('ok')).toBeGreaterThan(20);
    expect(countOf('CRASHED')).toBeGreaterThan(0);
    expect(countOf('SESSION_NOT_FOUND')).toBeGreaterThan(0);
    expect(countOf('INTERNAL_ERROR')).toBe(0);
  },
  (seconds + 90) * 1000,
);

test(
  'while settings change again and again, not one call is lost',
  async () => {
    const before = generation;
    const hasShown = () => generation > before + 3 && history.ended.length > 20;
    await play({ habits: ['call', 'call', 'modern'], blows: [reload], clientsEach: 3, hasShown });
    expect(generation).toBeGreaterThan(3);
    expect(history.ended.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
    expect(history.ended.length).toBeGreaterThan(20);
  },
  (seconds + 90) * 1000,
);
