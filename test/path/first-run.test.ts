import { type ChildProcess, spawn } from 'node:child_process';
import {
  accessSync,
  constants,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Status } from '../../src/admin/status.ts';
import { runCommand } from '../support/start-proxy.ts';
import { callJson, callText, connect, initializeBody, post } from '../support/clients.ts';

/** What a newcomer does: `npm start` in a clone, in a copy of it so that the clone's own files stay as they are. */
const root = path.resolve(import.meta.dirname, '../..');
const dir = mkdtempSync(path.join(tmpdir(), 'mtp-first-'));

let child: ChildProcess;
let printed = '';
let url = '';

const fileOf = (id: string) => path.join(dir, 'tenants', `${id}.yaml`);
/** A tenant's file as it comes: somebody may have started this clone before, and so have made keys. */
const shipped = (id: string) =>
  readFileSync(path.join(root, 'tenants', `${id}.yaml`), 'utf8').replace(
    /^keys:\n(?: +- .*\n)+/m,
    'keys: []\n',
  );

/** What `npm start` runs, for a clone that is built. A signal to npm reaches what npm started, and nothing below that. */
const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  scripts: { start: string };
};
const command = `${scripts.start.replace('npm run --silent build', 'true')} --port 0`;

/** Starts as `npm start` does, and waits for the last line of the welcome. */
async function start(): Promise<void> {
  printed = '';
  const { PATH = '', HOME = '' } = process.env;
  child = spawn('/bin/sh', ['-c', command], {
    cwd: dir,
    env: { PATH, HOME },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      if (printed.includes('To stop it')) resolve();
    });
    child.once('exit', () => reject(new Error(`it ended:\n${printed}`)));
  });
  url = /at (http:\S+)/.exec(printed)?.[1] ?? '';
}

async function stop(): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
}

beforeAll(async () => {
  cpSync(path.join(root, 'tenants'), path.join(dir, 'tenants'), { recursive: true });
  for (const id of ['acme', 'globex']) writeFileSync(fileOf(id), shipped(id));
  cpSync(path.join(root, 'proxy.config.yaml'), path.join(dir, 'proxy.config.yaml'));
  symlinkSync(path.join(root, 'dist'), path.join(dir, 'dist'));
  // So that npx finds what is installed already, as in a clone, and needs no network.
  symlinkSync(path.join(root, 'node_modules'), path.join(dir, 'node_modules'));
  await start();
});
afterAll(async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true });
});

/** The part of the welcome that is about one tenant. */
const part = (id: string) => printed.split('── ').find((each) => each.startsWith(id)) ?? '';
const keyOf = (id: string) => /mcpx_\w+/.exec(part(id))?.[0] ?? '';

/** The machine's numbers of all workers. */
async function workerPids(): Promise<number[]> {
  const { out } = await runCommand(['status', '--json'], { cwd: dir });
  const { tenants } = JSON.parse(out) as Status;
  return tenants.flatMap(({ workers }) => workers.map(({ pid }) => pid));
}

test('the command can be run from the clone, as `npx proxy` does', () => {
  expect(() => accessSync(path.join(root, 'dist/cli/main.js'), constants.X_OK)).not.toThrow();
});

describe('the first start', () => {
  test.each(['acme', 'globex'])('prints what to paste into a client of %s', (id) => {
    const key = keyOf(id);
    expect(key).toMatch(/^mcpx_[0-9a-f]{12}_[0-9a-f]{64}$/);
    expect(part(id)).toContain(
      `claude mcp add --transport http ${id} ${url} --header "Authorization: Bearer ${key}"`,
    );
    const [cursor, vscode] = [...part(id).matchAll(/^ {4}\{[\s\S]*?^ {4}\}/gm)].map(
      ([json]) => JSON.parse(json) as Record<string, Record<string, unknown>>,
    );
    const headers = { Authorization: `Bearer ${key}` };
    expect(cursor).toEqual({ mcpServers: { [id]: { url, headers } } });
    expect(vscode).toEqual({ servers: { [id]: { type: 'http', url, headers } } });
  });

  test('answers both tenants from processes of their own', async () => {
    const [acme, globex] = [await connect(url, keyOf('acme')), await connect(url, keyOf('globex'))];
    const [one, other] = [await callJson<Whoami>(acme, 'whoami'), await callJson<Whoami>(globex, 'whoami')];
    expect([one.account, other.account]).toEqual(['acme', 'globex']);
    // Inside a sandbox each has the same number.
    const pids = await workerPids();
    expect(new Set(pids).size).toBe(2);
    await callText(acme, 'note_add', { text: 'only for acme' });
    expect(await callText(acme, 'note_list')).toBe('only for acme');
    expect(await callText(globex, 'note_list')).toBe('No notes yet');
    await acme.close();
    await globex.close();
  });

  test('answers from the second server of globex, which comes from npm', async () => {
    const everything = await connect(`${url}/everything`, keyOf('globex'));
    expect(await callText(everything, 'echo', { message: 'hello' })).toContain('hello');
    await everything.close();
    expect(part('globex')).toContain(`claude mcp add --transport http globex-everything ${url}/everything `);
  });

  test('writes digests into the files, and nothing else of them changes', () => {
    const before = shipped('globex');
    const after = readFileSync(fileOf('globex'), 'utf8');
    expect(after).not.toContain(keyOf('globex'));
    expect(after.replace(/^keys:\n {2}- \{ name: first-run, .*\}$/m, 'keys: []')).toBe(before);
  });

  test('the second start has no keys to show, and those of the first go on', async () => {
    const key = keyOf('acme');
    await stop();
    await start();
    expect(printed).not.toContain('mcpx_');
    expect(part('acme')).toContain('proxy key create acme --name NAME');
    expect((await post(url, key, initializeBody())).status).toBe(200);
  });
});

interface Whoami {
  readonly account: string;
  readonly pid: number;
}
