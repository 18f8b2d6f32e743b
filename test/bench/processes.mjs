/** Child processes of the benchmark. None may outlive it, however it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const running = new Set();
const graceMs = 40_000;

/**
 * The same few variables for everyone: what this shell happens to have set must not count. (With NODE_EXTRA_CA_CERTS,
 * for example, every Node process takes 40 ms longer to start and some megabytes more. Tools of a developer's PATH are shown to
 * servers, and each folder of theirs costs a mount when one starts.)
 */
export const environment = {
  ...Object.fromEntries(
    ['HOME', 'LANG', 'TMPDIR'].flatMap((name) =>
      process.env[name] === undefined ? [] : [[name, process.env[name]]],
    ),
  ),
  PATH: `${path.dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
};

/** In a process group of its own where it starts children itself that may not end with it. */
export function start(args, { command = process.execPath, isGroup = false, ...options } = {}) {
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: environment,
    ...options,
    detached: isGroup,
  });
  const kill = (signal) => {
    if (isGroup) killGroup(child.pid, signal);
    else child.kill(signal);
  };
  const started = { child, pid: child.pid, kill, isAsked: false };
  running.add(started);
  child.once('error', (error) => console.error(`${command}: ${error.message}`));
  child.once('exit', (code, signal) => {
    running.delete(started);
    if (!started.isAsked) console.error(`${child.spawnargs.join(' ')} ended by itself: ${signal ?? code}`);
  });
  return started;
}

/** Ask it to end, and wait until it has. Rejects if it had to be killed, which nobody here should need. */
export async function stop(started) {
  const { child, kill } = started;
  started.isAsked = true;
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  let wasStubborn = false;
  const timer = setTimeout(() => {
    wasStubborn = true;
    kill('SIGKILL');
  }, graceMs);
  kill('SIGTERM');
  await exit;
  clearTimeout(timer);
  if (wasStubborn) throw new Error(`${child.spawnargs.join(' ')} did not end within ${graceMs} ms`);
}

/** The first message of a child that has an IPC channel. */
export async function firstMessage({ child }) {
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${child.spawnargs.join(' ')} ended before it was ready`);
  });
  const [message] = await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => undefined);
  return message;
}

function killGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // The whole group has gone already.
  }
}

process.on('exit', () => {
  for (const { kill } of running) kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
