import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { TenantId } from '../../calls/ids.ts';
import { Secret } from '../../secrets/secret.ts';
import type { Child } from '../launch.ts';
import { poolSettings, type ServerSpec } from '../spec.ts';
import { builtProgram } from './built-program.ts';
import { type Attempt, attempts, type Outcome, promises, type Targets } from './intrusion.ts';
import type { Launcher } from './launcher.ts';
import { findProcesses, identify, signal } from './processes.ts';
import { sandboxSettings } from './settings.ts';
import { homeOf } from './tenant-users.ts';

export interface InspectionParts {
  readonly launcher: Launcher;
  readonly tenants: string;
  readonly state: string;
  readonly folder: string;
  readonly adminSocket: string;
}

/** One thing that was tried. */
export interface Finding extends Outcome {
  readonly attempt: Attempt | 'loopback-none' | 'loopback-listed';
  readonly what: string;
  /** Does the wall in force promise to refuse it? */
  readonly promised: boolean;
}

const victim = '(victim)' as TenantId;
const intruder = '(intruder)' as TenantId;
/** So little that the intruder's tries stay harmless to the machine, and enough for Node 24, which needs 580 MiB to start. */
const tight = { memory: '768MiB', processes: 64, files: 256 };
/** How long an intruder may take in all, and what it left behind to end, in milliseconds. */
const intruderMs = 60_000;
const endMs = 2000;

/** Let a hostile server loose behind the wall in force, beside a victim, and say what it reached. */
export async function inspect(parts: InspectionParts): Promise<readonly Finding[]> {
  const token = `mcpx-check-${randomBytes(8).toString('hex')}`;
  const canary = randomBytes(16).toString('hex');
  const services = await openServices(parts.adminSocket);
  const target = await parts.launcher.launch(victimSpec(parts.folder, canary), victim);
  try {
    const targets = targetsOf(parts, { token, canary, target, port: services.port });
    const outcomes = await tryAll(parts, targets, attempts);
    const alone = await tryAll(parts, targets, ['loopback'], 'none');
    const listed = await tryAll(parts, targets, ['loopback'], elsewhere(services.port));
    return findingsOf(parts, { outcomes, alone, listed });
  } finally {
    target.signalGroup('SIGKILL');
    services.close();
    rmSync(`/tmp/${token}`, { force: true });
  }
}

function findingsOf(
  { launcher }: InspectionParts,
  { outcomes, alone, listed }: Record<'outcomes' | 'alone' | 'listed', ReadonlyMap<Attempt, Outcome>>,
): Finding[] {
  const { tier } = launcher.isolation;
  const silent: Outcome = { reached: true, detail: 'it gave no answer' };
  const unstarted: Outcome = { reached: false, detail: 'without bubblewrap it is not started' };
  const tried = attempts.map((attempt): Finding => {
    const { what, by } = promises[attempt];
    return { attempt, what, promised: by.includes(tier), ...(outcomes.get(attempt) ?? silent) };
  });
  return [
    ...tried,
    {
      attempt: 'loopback-none',
      what: 'reach a service on 127.0.0.1 with `network: none`',
      promised: tier === 'bubblewrap',
      ...(alone.get('loopback') ?? silent),
    },
    {
      attempt: 'loopback-listed',
      what: 'reach a service on 127.0.0.1 with an allow-list that has another',
      promised: true,
      ...(listed.get('loopback') ?? (tier === 'bubblewrap' ? silent : unstarted)),
    },
  ];
}

/** One intruder, from its start to the end of all it has left behind. */
async function tryAll(
  { launcher, folder }: InspectionParts,
  targets: Targets,
  names: readonly Attempt[],
  network: ServerSpec['sandbox']['network'] = 'shared',
): Promise<Map<Attempt, Outcome>> {
  const child = await launcher.launch(intruderSpec(folder, network), intruder);
  const outcomes = new Map<Attempt, Outcome>();
  child.stdin.on('error', () => undefined).write(`${JSON.stringify({ names, targets })}\n`);
  child.stderr.on('error', () => undefined).resume();
  await hear(child, outcomes);
  if (outcomes.has('shared-tmp') && !existsSync(`/tmp/${targets.token}`))
    outcomes.set('shared-tmp', { reached: false, detail: 'its /tmp is its own' });
  child.signalGroup('SIGKILL');
  await child.exit;
  child.signalGroup('SIGKILL');
  for (const name of ['daemon', 'scrubbed-daemon'] as const) {
    if (!outcomes.has(name)) continue;
    const suffix = name === 'daemon' ? '' : '-scrubbed';
    outcomes.set(name, await survived(`: ${targets.token}${suffix}\0`));
  }
  return outcomes;
}

async function hear(child: Child, outcomes: Map<Attempt, Outcome>): Promise<void> {
  const lines = createInterface({ input: child.stdout });
  const isOver = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      const told = JSON.parse(line) as Outcome & { name: Attempt | 'end' };
      if (told.name === 'end') resolve();
      else outcomes.set(told.name, { reached: told.reached, detail: told.detail });
    });
    void child.exit.then(() => resolve());
    setTimeout(resolve, intruderMs).unref();
  });
  await isOver;
  lines.close();
}

/** Is a process whose command line ends so still there when everything of its worker must be gone? It is ended then. */
async function survived(end: string): Promise<Outcome> {
  const endAt = performance.now() + endMs;
  for (;;) {
    const found = findProcesses((pid) => commandLine(pid).endsWith(end));
    if (found.length === 0) return { reached: false, detail: 'it ended with its worker' };
    if (performance.now() > endAt) {
      // It leads a group.
      for (const { pid } of found) signal(-pid, 'SIGKILL');
      return { reached: true, detail: `it ran on ${endMs} ms after` };
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

interface Facts {
  readonly token: string;
  readonly canary: string;
  readonly target: Child;
  readonly port: number;
}

function targetsOf({ tenants, state, adminSocket }: InspectionParts, facts: Facts): Targets {
  const { token, canary, target, port } = facts;
  // Made by its launch, and owned as that has it.
  const victimHome = homeOf(state, victim, undefined);
  const file = path.join(victimHome, 'canary');
  writeFileSync(file, canary, { mode: 0o600 });
  const owner = statSync(victimHome);
  chownSync(file, owner.uid, owner.gid);
  return {
    ...{ token, tenants, state, adminSocket, port, victimHome },
    victimPid: target.pid ?? 0,
    victimStart: identify(target.pid ?? 0)?.startTime ?? '',
    victimCanary: canary,
    proxyPid: process.pid,
    proxyStart: identify(process.pid)?.startTime ?? '',
    program: process.execPath,
  };
}

/** A service on loopback, and one at the operator's socket if no proxy runs there. */
async function openServices(adminSocket: string): Promise<{ port: number; close(): void }> {
  const tcp = await listening(createServer(), { host: '127.0.0.1', port: 0 });
  const unix = existsSync(adminSocket) ? undefined : await listening(createServer(), { path: adminSocket });
  const address = tcp.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close() {
      tcp.close();
      unix?.close();
    },
  };
}

function listening(server: Server, at: { path: string } | { host: string; port: number }): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, () => resolve(server.unref()));
  });
}

function victimSpec(folder: string, canary: string): ServerSpec {
  const spec = specOf(folder, ['-e', 'setInterval(() => {}, 1000)']);
  return { ...spec, env: { CANARY: new Secret(canary) } };
}

/** A list that has this machine, and another port of it. */
const elsewhere = (port: number) => ({ allow: [{ host: 'localhost', port: port === 1 ? 2 : 1 }] });

function intruderSpec(folder: string, network: ServerSpec['sandbox']['network']): ServerSpec {
  const spec = specOf(folder, [intruderFile]);
  return { ...spec, sandbox: { ...sandboxSettings.parse(tight), network } };
}

function specOf(folder: string, args: readonly string[]): ServerSpec {
  return {
    name: 'default',
    command: process.execPath,
    args,
    env: {},
    cwd: folder,
    startTimeout: 30_000,
    era: undefined,
    maxReply: 1024,
    sandbox: sandboxSettings.parse({}),
    pool: poolSettings.parse({}),
    generation: 'check',
  };
}

const intruderFile = builtProgram('intruder');
