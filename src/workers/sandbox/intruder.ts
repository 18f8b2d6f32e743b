/**
 * A hostile server, for `proxy check --isolation`: it tries what a wall must refuse, and tells what came of it. It gets
 * one line of JSON, its targets, and writes one line for each try. It harms nothing: what it writes it removes, and
 * what it starts ends by itself.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Attempt, Outcome, Targets } from './intrusion.ts';

type Try = (targets: Targets) => Outcome | Promise<Outcome>;

const reached = (detail: string): Outcome => ({ reached: true, detail });
const refused = (detail: string): Outcome => ({ reached: false, detail });
/** How long what it starts may live, in seconds: longer than any check takes. */
const daemonSeconds = 600;
/** More processes and memory than it is allowed in a check, by far. */
const bomb = { processes: 150, bytes: 1024 ** 3, files: 1000 };

const tries: Record<Attempt, Try> = {
  'other-environment': ({ victimPid, victimCanary }) => {
    const text = readFileSync(`/proc/${victimPid}/environ`, 'latin1');
    return text.includes(victimCanary) ? reached('its secret was read') : refused('another process');
  },
  'any-environment': ({ victimCanary }) => {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    const found = pids.some((pid) =>
      quiet(() => readFileSync(`/proc/${pid}/environ`, 'latin1').includes(victimCanary)),
    );
    return found ? reached('found by looking through /proc') : refused(`${pids.length} processes seen`);
  },
  'other-memory': ({ victimPid, victimStart }) => {
    // To open it is to be allowed to trace the process.
    closeSync(openSync(`/proc/${victimPid}/mem`, 'r'));
    return isIt(victimPid, victimStart) ? reached('opened') : refused('another process');
  },
  'other-signal': ({ victimPid, victimStart }) => signalled(victimPid, victimStart),
  'proxy-signal': ({ proxyPid, proxyStart }) => signalled(proxyPid, proxyStart),
  'other-home': ({ victimHome, victimCanary }) =>
    readFileSync(path.join(victimHome, 'canary'), 'utf8').includes(victimCanary)
      ? reached('its file was read')
      : refused('another file'),
  'tenants-read': ({ tenants }) => listed(tenants),
  'tenants-write': ({ tenants }) => written(path.join(tenants, '.intruder')),
  'state-read': ({ state }) => listed(state),
  'programs-write': ({ program }) => written(path.join(path.dirname(program), '.intruder')),
  'system-write': () => {
    const open = ['/', '/dev', '/etc', '/usr', '/var'].filter((folder) =>
      quiet(() => written(path.join(folder, `.intruder-${process.pid}`)).reached),
    );
    return open.length > 0 ? reached(`in ${open.join(' ')}`) : refused('not one of five folders');
  },
  'admin-socket': ({ adminSocket }) => connected({ path: adminSocket }),
  loopback: ({ port }) => connected({ host: '127.0.0.1', port }),
  'shared-tmp': ({ token }) => {
    // Left there for the check to find, or not; it removes it.
    writeFileSync(`/tmp/${token}`, '');
    return reached('written');
  },
  'become-root': () => {
    const forbidden = statusField('NoNewPrivs') === '1';
    const capabilities = Number.parseInt(statusField('CapEff'), 16);
    if (capabilities !== 0) return reached(`capabilities ${statusField('CapEff')}`);
    return forbidden ? refused('no new privileges') : reached('programs with setuid would work');
  },
  'core-dump': () => (limitOf('Max core file size') === '0' ? refused('limit 0') : reached('allowed')),
  'open-files': () => {
    const open: number[] = [];
    try {
      while (open.length < bomb.files) open.push(openSync('/dev/null', 'r'));
      return reached(`${open.length} open`);
    } finally {
      open.forEach((fd) => closeSync(fd));
    }
  },
  memory: () => hogged(),
  processes: () => bombed(),
  daemon: ({ token }) => daemonised(token, process.env),
  'scrubbed-daemon': ({ token }) => daemonised(`${token}-scrubbed`, {}),
};

async function attempt(name: Attempt, targets: Targets): Promise<Outcome> {
  try {
    return await tries[name](targets);
  } catch (thrown) {
    return refused((thrown as { code?: string }).code ?? 'failed');
  }
}

function quiet(look: () => boolean): boolean {
  try {
    return look();
  } catch {
    return false;
  }
}

/** In a namespace of its own the number may be somebody else's; the time of its start is not. */
function isIt(pid: number, startTime: string): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] === startTime;
}

/** Signal 0 only asks whether it would be allowed. */
function signalled(pid: number, startTime: string): Outcome {
  process.kill(pid, 0);
  return isIt(pid, startTime) ? reached('it would be delivered') : refused('another process');
}

function listed(folder: string): Outcome {
  const names = readdirSync(folder);
  const readable = names.filter((name) => quiet(() => readSome(path.join(folder, name))));
  return names.length > 0
    ? reached(`${names.length} entries, ${readable.length} files read`)
    : refused('empty');
}

function readSome(file: string): boolean {
  const fd = openSync(file, 'r');
  readSync(fd, Buffer.alloc(1));
  closeSync(fd);
  return true;
}

function written(file: string): Outcome {
  writeFileSync(file, '');
  rmSync(file);
  return reached('a file was written');
}

function connected(to: { path: string } | { host: string; port: number }): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect(to as { path: string });
    socket.setTimeout(2000, () => settle(refused('no answer')));
    const settle = (outcome: Outcome): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once('connect', () => settle(reached('connected')));
    socket.once('error', (error: { code?: string }) => settle(refused(error.code ?? 'failed')));
  });
}

function statusField(name: string): string {
  return new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '';
}

function limitOf(name: string): string {
  return new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? '';
}

/** In a process of its own, since it may be ended for it. */
async function hogged(): Promise<Outcome> {
  const script = `const held = []; for (let n = 0; n < ${bomb.bytes / 2 ** 24}; n++) held.push(Buffer.alloc(2 ** 24, 1)); console.log('held')`;
  const said = await outputOf(
    spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  return said.includes('held') ? reached('1 GiB taken') : refused('it was ended, or got no more');
}

async function outputOf(child: ChildProcess): Promise<string> {
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((resolve) => {
    child.once('error', () => resolve(said));
    child.once('close', () => resolve(said));
  });
}

async function bombed(): Promise<Outcome> {
  const children: ChildProcess[] = [];
  let isRefused = false;
  for (let count = 0; count < bomb.processes && !isRefused; count++) {
    const child = spawn('sleep', ['30'], { stdio: 'ignore' });
    children.push(child);
    isRefused = await new Promise((resolve) => {
      child.once('spawn', () => resolve(false));
      child.once('error', () => resolve(true));
    });
  }
  // They must be gone before anything else can be started.
  const gone = children
    .filter(({ pid }) => pid !== undefined)
    .map((child) => new Promise((resolve) => child.once('close', resolve)));
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(gone);
  return isRefused ? refused(`stopped at ${children.length}`) : reached(`${children.length} at once`);
}

/** Out of its group and session, without a parent, and if need be without a mark. */
async function daemonised(token: string, env: NodeJS.ProcessEnv): Promise<Outcome> {
  const fork = `require('node:child_process').spawn('/bin/sh', ['-c', 'sleep ${daemonSeconds}; : ${token}'], { detached: true, stdio: 'ignore', env: {} }).unref()`;
  const keep = fork.replace('env: {}', 'env: process.env');
  const script = Object.keys(env).length === 0 ? fork : keep;
  const child = spawn(process.execPath, ['-e', script], { detached: true, stdio: 'ignore', env });
  const exitCode = await new Promise((resolve) => child.once('error', resolve).once('close', resolve));
  return exitCode === 0 ? reached('started') : refused('it could not be started');
}

createInterface({ input: process.stdin }).once('line', (line) => {
  const { names, targets } = JSON.parse(line) as { names: Attempt[]; targets: Targets };
  void (async () => {
    for (const name of names) {
      const outcome = await attempt(name, targets);
      process.stdout.write(`${JSON.stringify({ name, ...outcome })}\n`);
    }
    process.stdout.write('{"name":"end"}\n');
  })();
});
