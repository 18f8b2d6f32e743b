import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inject } from 'vitest';
import { type Tier } from '../../src/workers/sandbox/isolation.ts';

/** A way to run the proxy, and the wall it must come to. */
export interface Setting {
  readonly name: string;
  readonly tier: Tier;
  readonly isolation: 'auto' | 'required' | 'none';
  /** Who runs it; left out: whoever runs the tests. */
  readonly uid?: number;
  /** Programs that are not there. */
  readonly without: readonly string[];
  /** Why it cannot be tried here. */
  readonly missing: string | undefined;
}

/** No distribution's user; unlike `nobody` it runs nothing else whose processes could be hit. */
const stranger = 65_501;
const root = path.resolve(import.meta.dirname, '../..');
const isRoot = process.getuid?.() === 0;
const hasBubblewrap = spawnSync('bwrap', ['--version']).status === 0;
const noBubblewrap = hasBubblewrap ? undefined : 'bubblewrap is not installed';
const notRoot = isRoot ? undefined : 'only root can become another user';
const namespaces = hasBubblewrap ? refusalOf(isRoot ? stranger : undefined) : noBubblewrap;
const unreachable = notRoot ?? reachableBy(stranger);

/** Everything the proxy can find itself in; what cannot be had here says why. */
export const settings: readonly Setting[] = [
  {
    name: 'bubblewrap, as root',
    ...{ tier: 'bubblewrap', isolation: 'required', without: [] },
    missing: notRoot ?? noBubblewrap,
  },
  {
    name: 'bubblewrap, as any user',
    ...{ tier: 'bubblewrap', isolation: 'required', without: [] },
    ...(isRoot ? { uid: stranger } : {}),
    missing: isRoot ? (unreachable ?? namespaces) : namespaces,
  },
  {
    name: 'a user per tenant, as root, without bubblewrap',
    ...{ tier: 'uid per tenant', isolation: 'required', without: ['bwrap'] },
    missing: unreachable,
  },
  {
    name: 'processes only, as any user, without bubblewrap',
    ...{ tier: 'process only', isolation: 'auto', without: ['bwrap'] },
    ...(isRoot ? { uid: stranger } : {}),
    missing: isRoot ? unreachable : undefined,
  },
];

/** How a process is run so: its user and its PATH. */
export function spawnedAs({ uid, without }: Setting): { uid?: number; gid?: number; PATH: string } {
  const searched = without.length === 0 ? (process.env['PATH'] ?? '') : pathWithout(without);
  return { ...(uid === undefined ? {} : { uid, gid: uid }), PATH: searched };
}

/** A folder that whoever runs the proxy owns, and all may pass through. */
export function settingFolder({ uid }: Setting): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'mtp-'));
  chmodSync(folder, 0o755);
  if (uid !== undefined) chownSync(folder, uid, uid);
  return folder;
}

const folders = new Map<string, string>();

/** A PATH of one folder, with links to all programs but some. */
function pathWithout(programs: readonly string[]): string {
  const key = programs.join();
  const known = folders.get(key);
  if (known !== undefined) return known;
  const folder = mkdtempSync(path.join(inject('runFolder'), 'path-'));
  chmodSync(folder, 0o755);
  folders.set(key, folder);
  // By name: a link that leads nowhere looks as if it were not there.
  const taken = new Set(programs);
  for (const from of ['/usr/bin', '/bin', path.dirname(process.execPath)]) {
    for (const name of readdirSync(from)) {
      if (taken.has(name)) continue;
      taken.add(name);
      symlinkSync(path.join(from, name), path.join(folder, name));
    }
  }
  return folder;
}

/** Can this user read the built proxy and run this Node? */
function reachableBy(uid: number): string | undefined {
  const cli = path.join(root, 'dist/cli/main.js');
  const { status } = spawnSync(
    process.execPath,
    ['-e', `require('node:fs').readFileSync(${JSON.stringify(cli)})`],
    {
      ...{ uid, gid: uid, cwd: '/', env: {} },
    },
  );
  return status === 0 ? undefined : `user ${uid} cannot read ${root} or run ${process.execPath}`;
}

function refusalOf(uid: number | undefined): string | undefined {
  try {
    execFileSync(
      'bwrap',
      ['--unshare-user', '--unshare-pid', '--ro-bind', '/', '/', '--proc', '/proc', 'true'],
      {
        ...(uid === undefined ? {} : { uid, gid: uid }),
        stdio: 'ignore',
        cwd: '/',
      },
    );
    return undefined;
  } catch {
    return 'user namespaces are forbidden here';
  }
}
