import { spawn } from 'node:child_process';
import { accessSync, chmodSync, constants, mkdirSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { sandboxWords } from './bubblewrap.ts';
import { findProgram } from './find-program.ts';
import { type Isolation, NoWall } from './isolation.ts';
import type { IsolationMode } from './settings.ts';
import { filterFor, withFilter } from './refused-calls.ts';
import type { SystemCopies } from './system-copies.ts';
import { isIn } from './visible-files.ts';
import { homeOf, passwdFor, type TenantUsers } from './tenant-users.ts';

export interface ProbeParts {
  readonly mode: IsolationMode;
  readonly state: string;
  /** The folder of the configuration, where servers start unless their file says otherwise. */
  readonly folder: string;
  /** What no tenant may read. */
  readonly secret: readonly string[];
  /** PATH. */
  readonly searched: string;
  readonly users: TenantUsers;
  readonly copies: SystemCopies;
}

/** What came of a try: it works, or why not, and what to do. */
type Tried = { readonly works: true } | { readonly works: false; readonly reason: string };

const worked: Tried = { works: true };
const failed = (reason: string): Tried => ({ works: false, reason });
/** How long a try may take, in milliseconds: the machine may be busy. */
const tryMs = 10_000;
/** The tenant that a try is made for; no tenant can have this name. */
const nobody = '(probe)';

/**
 * The strongest wall that works here, found by building each. @throws {NoWall} if one is required and none works
 */
export async function chooseWall(parts: ProbeParts): Promise<Isolation> {
  if (parts.mode === 'none') return { tier: 'process only', reason: 'workers.isolation is none' };
  const isRoot = process.getuid?.() === 0;
  const asRoot = isRoot ? await trySandbox(parts, 'root') : failed('');
  if (asRoot.works) return { tier: 'bubblewrap', variant: 'root', reason: undefined };
  const asUser = await trySandbox(parts, 'user');
  if (!asUser.works) return withoutSandbox(parts, asUser.reason);
  const reason = isRoot ? `tenants have no user of their own: ${asRoot.reason}` : undefined;
  return { tier: 'bubblewrap', variant: 'user', reason };
}

async function withoutSandbox(parts: ProbeParts, noSandbox: string): Promise<Isolation> {
  const isRoot = process.getuid?.() === 0;
  const own = isRoot ? await tryOwnUsers(parts) : failed('only root can give each tenant a user of its own');
  if (own.works) {
    const open = await readable(parts);
    const advice = open.length > 0 ? `; tenants' users can read ${open.join(', ')}: chmod o-rwx` : '';
    return { tier: 'uid per tenant', reason: `${noSandbox}${advice}` };
  }
  const reason = `${noSandbox}; ${own.reason}`;
  if (parts.mode === 'required') throw new NoWall(reason);
  return { tier: 'process only', reason };
}

async function trySandbox(parts: ProbeParts, variant: 'root' | 'user'): Promise<Tried> {
  const { state, searched, users, copies } = parts;
  if (process.platform !== 'linux') return failed('sandboxes are for Linux');
  const found = findProgram('bwrap', searched, '/');
  if ('cause' in found)
    return failed('bubblewrap is not installed: apt-get install bubblewrap, or dnf, apk, pacman');
  if (variant === 'root' && !hasSetpriv(searched)) return failed('setpriv of util-linux is not installed');
  const uid = variant === 'root' ? users.uidOf(nobody) : (process.getuid?.() ?? 0);
  const home = {
    folder: homeOf(state, nobody, variant === 'root' ? uid : undefined),
    inside: '/home/tenant',
  };
  const words = sandboxWords({
    ...{ variant, uid, home, cwd: '/', network: 'shared', needs: [], hidden: { secret: [], personal: [] } },
    limits: {},
    passwd: passwdFor(state, uid, home.inside),
    copies,
    command: ['/bin/sh', '-c', 'test -w "$HOME" && test "$(id -u)" = "$0"', String(uid)],
  });
  const env = { PATH: searched, HOME: home.inside };
  return explained(await run(found.file, words, { env, filter: filterFor(state, true) }));
}

/** Do tenants' users reach what they need, and can we become them? */
async function tryOwnUsers({ state, folder, searched, users }: ProbeParts): Promise<Tried> {
  const uid = users.uidOf(nobody);
  const home = homeOf(state, nobody, uid);
  openWay(home, [state, folder]);
  const script = 'test -r "$1" || exit 3; test -x "$2" || exit 4; test -w "$3" || exit 5';
  const words = ['-c', script, 'probe', folder, process.execPath, home];
  const { exitCode, said } = await run('/bin/sh', words, { env: { PATH: searched }, uid, gid: uid });
  if (exitCode === 0) return worked;
  const closed = { 3: folder, 4: process.execPath, 5: home }[exitCode ?? 0];
  return failed(
    closed === undefined
      ? `a tenant's user cannot be had (${said})`
      : `a tenant's user cannot reach ${closed}: chmod o+x the folders above it, or move it`,
  );
}

/** Of what no tenant may read, what a user of a tenant's can. A wall of users is only as good as the modes of files. */
async function readable({ secret, searched, users }: ProbeParts): Promise<string[]> {
  const uid = users.uidOf(nobody);
  const script = 'for each; do test -r "$each" && echo "$each" >&2; done; true';
  const { said } = await run('/bin/sh', ['-c', script, 'probe', ...secret], {
    env: { PATH: searched },
    uid,
    gid: uid,
  });
  return secret.filter((file) => said.split('\n').includes(file));
}

/** The tenants' homes are in our own folders, so others may pass through these; their files stay closed to them. */
function openWay(home: string, ours: readonly string[]): void {
  const isOurs = (at: string): boolean => ours.some((each) => isIn(at, each)) && at !== ours.at(-1);
  for (let at = path.dirname(home); isOurs(at); at = path.dirname(at)) {
    const { mode, uid } = statSync(at);
    if (uid === process.getuid?.() && (mode & 0o001) === 0) chmodSync(at, (mode & 0o7777) | 0o011);
  }
}

interface Outcome {
  readonly exitCode: number | undefined;
  readonly said: string;
}

/** How a program is tried. */
interface Trial {
  readonly env: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
  /** The file of a filter of system calls. */
  readonly filter?: string;
}

/** With what the keeper gives beside: a gate that opens at once, and somebody who listens to the news. */
async function run(file: string, args: readonly string[], { filter, ...trial }: Trial): Promise<Outcome> {
  const child = withFilter(filter, (descriptors) =>
    spawn(file, args, {
      ...trial,
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe', ...descriptors],
      timeout: tryMs,
    }),
  );
  const [, , stderr, gate, news] = child.stdio as unknown as Socket[];
  gate
    ?.on('error', () => undefined)
    .resume()
    .end('go\n');
  news?.on('error', () => undefined).resume();
  const said = stderr ? text(stderr).catch(() => '') : '';
  const ended = await new Promise<number | string | undefined>((resolve) => {
    child.once('error', ({ message }) => resolve(message));
    child.once('close', (code) => resolve(code ?? undefined));
  });
  if (typeof ended === 'string') return { exitCode: undefined, said: ended };
  return { exitCode: ended, said: (await said).trim() || `exit code ${ended ?? 'none'}` };
}

/** What bubblewrap says, and what is usually meant. */
function explained({ exitCode, said }: Outcome): Tried {
  if (exitCode === 0) return worked;
  const words = said.split('\n').at(-1)?.slice(0, 200) ?? '';
  return failed(`bubblewrap does not work here (${words})${advice(words)}`);
}

function advice(words: string): string {
  if (/[Uu]nknown option/.test(words)) return ': it is too old, 0.8 is needed';
  if (/uid map|RTM_NEWADDR|No permissions to creat|Operation not permitted|Permission denied/.test(words)) {
    return (
      ': in a container, run the proxy with --cap-add SYS_ADMIN or --security-opt seccomp=unconfined; ' +
      'on Ubuntu, allow bwrap user namespaces in AppArmor (kernel.apparmor_restrict_unprivileged_userns)'
    );
  }
  if (/max_user_namespaces|No space left/.test(words)) return ': raise user.max_user_namespaces with sysctl';
  return '';
}

export function hasSetpriv(searched: string): boolean {
  return 'file' in findProgram('setpriv', searched, '/');
}

/** The folder of what is kept, made and ours. @throws {Error} with what to do */
export function prepareState(state: string): void {
  try {
    mkdirSync(state, { recursive: true, mode: 0o700 });
    accessSync(state, constants.W_OK);
  } catch (thrown) {
    const { code = 'unknown error' } = thrown as { code?: string };
    throw new Error(`the folder of state, ${state}, cannot be made or written (${code}); set another`, {
      cause: thrown,
    });
  }
}
