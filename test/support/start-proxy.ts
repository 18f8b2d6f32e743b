import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type Setting, settingFolder, spawnedAs } from './tiers.ts';
import { type Status } from '../../src/admin/status.ts';

const root = path.resolve(import.meta.dirname, '../..');
const cli = path.join(root, 'dist/cli/main.js');
/** The fixtures: small real MCP servers. */
export const fixture = (name: string): string => path.join(root, `test/fixtures/servers/${name}.mjs`);

/** One line of the proxy's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly event?: string; readonly msg: string };

export interface StartOptions {
  /** Lines put into proxy.config.yaml beside those every test needs. */
  readonly config?: string;
  /** By id: the text of the file, or how its only server is started. A key is made for each. */
  readonly tenants?: Readonly<Record<string, string>>;
  /** Who runs it, and with which programs around; left out: whoever runs the tests, with all there are. */
  readonly setting?: Setting;
  /** The text of an /etc/hosts of its own. Only as root, with util-linux. */
  readonly hosts?: string;
  /** Beside PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The whole product in a process of its own, as an operator starts it, with a folder of its own. */
export interface RunningProxy {
  /** Of `/mcp`. */
  readonly url: string;
  readonly pid: number;
  readonly dir: string;
  readonly configFile: string;
  /** A valid key of each tenant. */
  readonly keys: Readonly<Record<string, string>>;
  readonly logs: readonly LogLine[];
  /** The first line, past or to come, for which `test` is true. */
  logged(test: (line: LogLine) => boolean): Promise<LogLine>;
  status(): Promise<Status>;
  /** As `proxy reload` does. */
  reload(): Promise<void>;
  /** Runs `proxy …` with this proxy's configuration. */
  run(...args: readonly string[]): Promise<CommandResult>;
  /** Puts a tenant's file there in one step; the same key goes in as before. */
  write(id: string, text: string): void;
  remove(id: string): void;
  signal(signal: NodeJS.Signals): void;
  readonly exited: Promise<number | null>;
  /** SIGTERM, and everything is cleaned up. Safe to call twice. */
  stop(): Promise<number | null>;
}

export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const runSettings = (config: string) => `
${config.includes('listen:') ? '' : 'listen: { port: 0 }'}
admin: { socket: ./admin.sock }
log: { level: debug, format: json }
${withIsolation(config)}
`;

/**
 * Without a wall, unless a test says otherwise: inside a sandbox a process has another number than outside, and most
 * tests compare. The walls have tests of their own; TEST_ISOLATION=auto runs all others behind one.
 */
function withIsolation(config: string): string {
  const isolation = process.env['TEST_ISOLATION'] ?? 'none';
  if (config.includes('isolation:')) return config;
  if (!/^workers: \{/m.test(config)) return `${config}\nworkers: { isolation: ${isolation} }`;
  return config.replace(/^workers: \{/m, `workers: { isolation: ${isolation},`);
}

/** A tenant that runs a fixture, as YAML; `more` is put at the end. */
export function tenantYaml(id: string, server: string, more = '', env: Record<string, string> = {}): string {
  const variables = JSON.stringify({ CANARY: `canary-of-${id}`, ...env });
  return `tenant: ${id}
server:
  command: ${JSON.stringify(process.execPath)}
  args: [${JSON.stringify(fixture(server))}]
  env: ${variables}
${more}
`;
}

export async function startProxy(options: StartOptions = {}): Promise<RunningProxy> {
  const { dir, user, env } = surroundings(options);
  const configFile = path.join(dir, 'proxy.config.yaml');
  const keys: Record<string, string> = {};
  const write = (id: string, text: string): void => {
    const key = (keys[id] ??= `mcpx_test_${randomBytes(32).toString('hex')}`);
    const file = path.join(dir, 'tenants', `${id}.yaml`);
    writeFileSync(`${file}.tmp`, withKey(text, key), { mode: 0o600 });
    if (user.uid !== undefined) chownSync(`${file}.tmp`, user.uid, user.uid);
    renameSync(`${file}.tmp`, file);
  };
  mkdirSync(path.join(dir, 'tenants'));
  writeFileSync(configFile, runSettings(options.config ?? ''));
  for (const [id, text] of Object.entries(options.tenants ?? {})) write(id, text);
  const [file = '', args, as] = commandFor(options, configFile, user);
  const child = spawn(file, args, {
    cwd: dir,
    env,
    ...as,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const log = readLog(child);
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const stop = async (): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    const code = await exited;
    rmSync(dir, { recursive: true, force: true });
    return code;
  };
  // Only a proxy that never listened is cleaned up for here: what one leaves that is killed later is what tests look at.
  const listening = await Promise.race([log.logged(({ event }) => event === 'proxy.listening'), exited]);
  if (listening === null || typeof listening === 'number') {
    rmSync(dir, { recursive: true, force: true });
    throw new Error(`proxy serve ended with ${listening}:\n${log.raw.join('\n')}`);
  }
  return {
    url: String(listening['url']),
    pid: child.pid ?? 0,
    dir,
    configFile,
    keys,
    logs: log.lines,
    logged: log.logged,
    status: async () => JSON.parse(await askOperator(dir, '/v1/status')) as Status,
    reload: async () => {
      await askOperator(dir, '/v1/reload', 'POST');
    },
    run: (...args) => runCommand([...args, '--config', configFile], { cwd: dir, env, ...user }),
    write,
    remove: (id) => rmSync(path.join(dir, 'tenants', `${id}.yaml`)),
    signal: (signal) => child.kill(signal),
    exited,
    stop,
  };
}

/** A folder of its own (short, because a unix socket's path may only have 107 bytes), who runs it, and what that user has around. */
function surroundings({ setting, env }: StartOptions) {
  const { PATH = '', HOME = '' } = process.env;
  if (!setting) {
    const user: Pick<Setting, 'uid'> = {};
    return { dir: mkdtempSync(path.join(tmpdir(), 'mtp-')), user, env: { PATH, HOME, ...env } };
  }
  const { PATH: searched, ...user } = spawnedAs(setting);
  const dir = settingFolder(setting);
  return { dir, user, env: { PATH: searched, HOME: user.uid === undefined ? HOME : dir, ...env } };
}

/** In the end it is the same process, so that it is signalled as any other. */
function commandFor({ hosts }: StartOptions, configFile: string, user: Pick<Setting, 'uid'>) {
  const words = [process.execPath, cli, 'serve', '--config', configFile];
  if (hosts === undefined) return [words[0], words.slice(1), user] as const;
  const file = path.join(path.dirname(configFile), 'hosts');
  writeFileSync(file, hosts, { mode: 0o644 });
  const id = String(user.uid);
  const become =
    user.uid === undefined ? [] : ['setpriv', '--reuid', id, '--regid', id, '--clear-groups', '--'];
  const script = 'mount --bind "$0" /etc/hosts && exec "$@"';
  return ['unshare', ['--mount', '/bin/sh', '-c', script, file, ...become, ...words], {}] as const;
}

/** Runs `proxy` to its end. */
export function runCommand(
  args: readonly string[],
  {
    input,
    ...options
  }: { cwd: string; env?: Record<string, string>; input?: string; uid?: number; gid?: number },
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [cli, ...args],
      { ...options, timeout: 20_000, maxBuffer: 64 * 1024 ** 2 },
      (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err });
      },
    );
    if (input !== undefined) child.stdin?.end(input);
  });
}

function withKey(text: string, key: string): string {
  if (/^keys:/m.test(text)) return text;
  const sha256 = createHash('sha256').update(key).digest('hex');
  return `${text}\nkeys: [{ name: test, sha256: ${sha256} }]\n`;
}

function readLog(child: ChildProcess) {
  const raw: string[] = [];
  const lines: LogLine[] = [];
  const waiting = new Set<{ test: (line: LogLine) => boolean; resolve: (line: LogLine) => void }>();
  createInterface({ input: child.stderr! }).on('line', (text) => {
    raw.push(text);
    if (!text.startsWith('{')) return;
    const line = JSON.parse(text) as LogLine;
    lines.push(line);
    for (const entry of waiting) {
      if (!entry.test(line)) continue;
      waiting.delete(entry);
      entry.resolve(line);
    }
  });
  const logged = (test: (line: LogLine) => boolean): Promise<LogLine> => {
    const past = lines.find(test);
    if (past) return Promise.resolve(past);
    return new Promise((resolve) => waiting.add({ test, resolve }));
  };
  return { raw, lines, logged };
}

/** Through the operator's door, without the start of a command. */
function askOperator(dir: string, address: string, method = 'GET'): Promise<string> {
  const socketPath = path.join(dir, 'admin.sock');
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: address, method }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    });
    asked.on('error', reject).end();
  });
}

/** Is there a process of this id? */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Every process of this machine that has `text` in its environment: a test's children carry a mark of their own. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => environmentOf(name).includes(text))
    .map(Number);
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    // It ended, or is another user's.
    return '';
  }
}
