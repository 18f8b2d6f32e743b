import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { eventually } from './eventually.ts';

/** A PostgreSQL of the tests' own, in a temporary folder, on a free port of this machine. */
export interface RunningPostgres {
  readonly port: number;
  /** A certificate that names `localhost`, for clients to trust. */
  readonly certificate: string;
  /** Runs statements as the superuser. */
  readonly sql: (database: string, text: string) => Promise<Record<string, unknown>[]>;
  /** Everything it has logged: connections with their user and database, every statement. */
  log(): string;
  /** What runs in it now, our own question left out. */
  activity(): Promise<Activity[]>;
  /** The same, where a text stands in the query that runs at this moment. */
  running(text: string): Promise<Activity[]>;
  /** Ends it at once, as a crash would; `start` begins it again. */
  crash(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

interface Activity {
  readonly user: string;
  readonly database: string;
  readonly application: string;
  readonly state: string;
  readonly query: string;
}

/** What is skipped without PostgreSQL says so in these words. */
export const needsPostgres = 'needs PostgreSQL: apt-get install postgresql';

const superuserPassword = 'test-superuser';

/** The folder of initdb and postgres; undefined where it is not installed, or cannot be run by anybody here. */
export const postgresFolder: string | undefined = findPostgres();

function findPostgres(): string | undefined {
  if (process.getuid?.() === 0 && unprivileged() === undefined) return undefined;
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => path.join(root, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(':'),
  ];
  return folders.find(
    (folder) => existsSync(path.join(folder, 'initdb')) && existsSync(path.join(folder, 'postgres')),
  );
}

/** PostgreSQL refuses to run as root, so root runs it as somebody else. */
function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  const line = /^(?:postgres|nobody):[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
  return line ? { uid: Number(line[1]), gid: Number(line[2]) } : undefined;
}

export async function startPostgres(): Promise<RunningPostgres> {
  if (postgresFolder === undefined) throw new Error(needsPostgres);
  const program = (name: string) => path.join(postgresFolder, name);
  const owner = process.getuid?.() === 0 ? unprivileged() : undefined;
  const as = { ...owner, env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8' }, cwd: '/' };
  const dir = mkdtempSync(path.join(tmpdir(), 'mtp-pg-'));
  if (owner) chownSync(dir, owner.uid, owner.gid);
  const inDir = (name: string) => path.join(dir, name);
  const passwordFile = inDir('password');
  writeFileSync(passwordFile, superuserPassword);
  if (owner) chownSync(passwordFile, owner.uid, owner.gid);
  execFileSync(
    program('initdb'),
    ['-D', inDir('data'), '-U', 'admin', '-A', 'scram-sha-256', '--pwfile', passwordFile, '-E', 'UTF8', '-N'],
    { ...as, stdio: 'pipe' },
  );
  makeCertificate(dir, as);
  const port = await freePort();
  const options = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    fsync: 'off',
    ...{ ssl: 'on', ssl_cert_file: inDir('server.crt'), ssl_key_file: inDir('server.key') },
    ...{ log_connections: 'on', log_disconnections: 'on', log_statement: 'all' },
    log_line_prefix: '%m [%p] user=%u db=%d app=%a ',
  };
  const settings = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  let text = '';
  let running: ChildProcess | undefined;

  const sql = async (database: string, statements: string): Promise<Record<string, unknown>[]> => {
    const client = new Client({
      ...{ host: '127.0.0.1', port, database, user: 'admin', password: superuserPassword },
      application_name: 'the test itself',
    });
    await client.connect();
    try {
      const result = (await client.query<Record<string, unknown>>(statements)) as unknown;
      const last = (Array.isArray(result) ? result.at(-1) : result) as { rows: Record<string, unknown>[] };
      return last.rows;
    } finally {
      await client.end();
    }
  };
  const start = async (): Promise<void> => {
    const child = spawn(program('postgres'), ['-D', inDir('data'), ...settings], {
      ...as,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    running = child;
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`PostgreSQL ended: ${text}`);
      return sql('postgres', 'SELECT 1').then(
        () => true,
        () => false,
      );
    }, 30_000);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const child = running;
    if (child?.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  };
  const activity = async (): Promise<Activity[]> =>
    (await sql(
      'postgres',
      `SELECT usename AS user, datname AS database, application_name AS application, state, query FROM pg_stat_activity
       WHERE backend_type = 'client backend' AND application_name <> 'the test itself'`,
    )) as unknown as Activity[];
  await start();
  return {
    port,
    certificate: inDir('server.crt'),
    sql,
    log: () => text,
    activity,
    running: async (wanted) =>
      (await activity()).filter(({ state, query }) => state === 'active' && query.includes(wanted)),
    crash: () => end('SIGQUIT'),
    start,
    async stop() {
      await end('SIGINT');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function makeCertificate(dir: string, as: object): void {
  const files = ['-keyout', path.join(dir, 'server.key'), '-out', path.join(dir, 'server.crt')];
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...files, ...name],
    {
      ...as,
      stdio: 'pipe',
    },
  );
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
