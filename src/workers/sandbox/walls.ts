import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import type { ServerSpec } from '../spec.ts';
import { sandboxWords } from './bubblewrap.ts';
import { roomAround } from './egress/room.ts';
import { nameFilesFor, type Way, waysFor } from './egress/ways.ts';
import { gated, type Limits } from './gate.ts';
import type { Room } from './cgroups/cells.ts';
import type { Isolation } from './isolation.ts';
import type { LaunchOrder } from './keeper-messages.ts';
import { neededFiles, personalFiles, tooWide } from './needed-files.ts';
import type { SystemCopies } from './system-copies.ts';
import { filterFor } from './refused-calls.ts';
import { homeOf, ownFolder, passwdFor, type TenantUsers } from './tenant-users.ts';
import { isIn, realPath } from './visible-files.ts';

type EveryLimit = { readonly [name in keyof Limits]-?: number };

/** What every wall is built from. */
export interface WallParts {
  readonly isolation: Isolation;
  /** Absolute: the folder of what the proxy keeps. */
  readonly state: string;
  /** Absolute: what no server may see, such as the tenants' files and the operator's socket. */
  readonly secret: () => readonly string[];
  readonly limits: EveryLimit & { readonly cpus?: number | undefined };
  /** Where programs are. */
  readonly bwrap: string;
  readonly hasSetpriv: boolean;
  readonly users: TenantUsers;
  readonly copies: SystemCopies;
}

/** A server about to be started: its program found, its environment complete. */
export interface Start {
  readonly tenantId: string;
  readonly spec: ServerSpec;
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
}

type Order = Omit<LaunchOrder, 'type' | 'id'>;

/** The order to start a server behind the wall that is in force. @throws {Error} if its user, its home or its allow-list cannot be had */
export function orderFor(parts: WallParts, start: Start): Order {
  refuseOpenNetwork(parts, start);
  switch (parts.isolation.tier) {
    case 'bubblewrap':
      return sandboxed(parts, start);
    case 'uid per tenant':
      return asOwnUser(parts, start);
    case 'process only':
      return plain(parts, start);
  }
}

/** The same figures for all processes of the server together; bubblewrap's own two are among them. */
export function roomFor(parts: WallParts, { tenantId, spec }: Pick<Start, 'tenantId' | 'spec'>): Room {
  const { memory, processes } = limitsOf(parts, spec);
  const own = parts.isolation.tier === 'bubblewrap' ? 2 : 0;
  const cpus = spec.sandbox.cpus ?? parts.limits.cpus;
  return { tenantId, limits: { memory, processes: processes + own, cpus } };
}

/** As our own user the number of processes is not limited: all tenants' and ours would count together. */
function plain(parts: WallParts, { spec, file, env }: Start): Order {
  const { memory, files } = limitsOf(parts, spec);
  const [shell = '', ...args] = gated({ memory, files }, [file, ...spec.args]);
  return { file: shell, args, env, cwd: spec.cwd, isWrapped: false };
}

function asOwnUser(parts: WallParts, start: Start): Order {
  const { tenantId, spec, file, env } = start;
  const uid = parts.users.uidOf(tenantId);
  const home = homeOf(parts.state, tenantId, uid);
  const limits = limitsOf(parts, spec);
  const command = gated(limits, [file, ...spec.args], '077');
  // Node has changed the user already; what is left is to forbid ever becoming another.
  const [first = '', ...args] = parts.hasSetpriv ? ['setpriv', '--no-new-privs', '--', ...command] : command;
  const own = { HOME: home, TMPDIR: ownFolder(path.join(home, '.tmp'), uid) };
  return {
    file: first,
    args,
    env: { ...env, ...own, ...named(start) },
    cwd: spec.cwd,
    uid,
    isWrapped: false,
  };
}

function sandboxed(parts: WallParts, start: Start): Order {
  const { tenantId, spec, file, env } = start;
  const { isolation, state, secret } = parts;
  const { variant = 'user' } = isolation;
  const uid = variant === 'root' ? parts.users.uidOf(tenantId) : ownUid();
  const inside = homeInside(env['HOME']);
  const secrets = secret().map((each) => realPath(each) ?? each);
  const own = ownHome(spec, { inside, uid, secrets });
  const limits = limitsOf(parts, spec);
  const ways = waysOf(spec);
  const network = networkOf(spec, state, ways);
  const words = sandboxWords({
    variant,
    uid,
    home: { folder: own ?? homeOf(state, tenantId, variant === 'root' ? uid : undefined), inside },
    passwd: passwdFor(state, uid, inside),
    copies: parts.copies,
    cwd: spec.cwd,
    network,
    // Who is root outside is not held by a limit on processes.
    limits: variant === 'user' && uid === 0 ? { ...limits, processes: undefined } : limits,
    needs: neededFiles(spec, file, env),
    hidden: { secret: secrets, personal: personalFiles(inside) },
    command: [file, ...spec.args],
  });
  const changed = { ...env, HOME: inside, TMPDIR: '/tmp', ...named(start) };
  const filter = filterFor(state, network === 'shared');
  const order = { file: parts.bwrap, filter, env: changed, cwd: '/', isWrapped: true };
  if (ways === undefined) return { ...order, args: words };
  return { ...order, ways, args: roomAround(variant, ways, [parts.bwrap, ...words]) };
}

const ownUid = (): number => process.getuid?.() ?? 0;

/** Undefined unless there is an allow-list. */
function waysOf({ sandbox: { network } }: ServerSpec): Way[] | undefined {
  return typeof network === 'object' ? waysFor(network.allow) : undefined;
}

function networkOf({ sandbox: { network } }: ServerSpec, state: string, ways: readonly Way[] | undefined) {
  if (ways !== undefined) return nameFilesFor(state, ways);
  return network === 'none' ? 'none' : 'shared';
}

/** Without a sandbox nothing would keep a server from the network, and whoever wrote so relies on it. */
function refuseOpenNetwork({ isolation: { tier, reason } }: WallParts, { spec }: Start): void {
  const { network } = spec.sandbox;
  if (tier === 'bubblewrap' || network === 'shared') return;
  const asked = network === 'none' ? 'is none' : 'has an allow-list';
  throw new Error(
    `sandbox.network ${asked}, which needs bubblewrap, and the wall in force is "${tier}"` +
      ` (${reason ?? 'nothing stronger is there'}); make bubblewrap work here, or write network: shared`,
  );
}

/** What the tenant's file says of these is the last word. */
function named({ spec, env }: Start): Record<string, string> {
  const chosen = ['HOME', 'TMPDIR'].filter((name) => spec.env[name] !== undefined);
  return Object.fromEntries(chosen.map((name) => [name, env[name] ?? '']));
}

/** Where it is outside too, so that what is installed in it and shown is found there. */
function homeInside(home: string | undefined): string {
  const isOdd =
    home === undefined || !path.isAbsolute(home) || path.resolve(home) === '/' || home.startsWith('/usr');
  return isOdd || home.startsWith('/nonexistent') ? '/home/tenant' : path.resolve(home);
}

/**
 * The home that the tenant's file names, if it belongs to who the server runs as. Not the operator's, nor one with
 * something hidden in or around it.
 */
function ownHome(
  { env }: ServerSpec,
  { inside, uid, secrets }: { inside: string; uid: number; secrets: readonly string[] },
): string | undefined {
  const real = env['HOME'] === undefined ? undefined : realPath(inside);
  if (real === undefined || tooWide.has(real) || isIn(homedir(), real)) return undefined;
  if (secrets.some((each) => isIn(real, each) || isIn(each, real))) return undefined;
  return statSync(real).uid === uid ? real : undefined;
}

function limitsOf({ limits }: WallParts, { sandbox }: ServerSpec): EveryLimit {
  return {
    memory: sandbox.memory ?? limits.memory,
    processes: sandbox.processes ?? limits.processes,
    files: sandbox.files ?? limits.files,
  };
}
