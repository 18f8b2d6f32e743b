import type { TenantId } from '../../calls/ids.ts';
import type { Announce, ProxyEvent, ServerFacts } from '../../events/events.ts';
import { type Child, childEnvironment, childOf, type Launch, stillborn } from '../launch.ts';
import type { ServerSpec } from '../spec.ts';
import { type Cgroups, openCgroups } from './cgroups/cgroups.ts';
import { controllers } from './cgroups/limits.ts';
import { chooseWall, hasSetpriv, prepareState } from './choose-wall.ts';
import { findProgram, folderTrouble } from './find-program.ts';
import { openInstance, sweepOrphans } from './instances.ts';
import type { WallsInForce } from './isolation.ts';
import { KeeperLine, type KeeperParts } from './keeper-line.ts';
import type { LaunchOrder } from './keeper-messages.ts';
import { markName } from './processes.ts';
import type { CgroupsMode, IsolationMode } from './settings.ts';
import { openSystemCopies } from './system-copies.ts';
import { openTenantUsers } from './tenant-users.ts';
import { orderFor, roomFor, type WallParts } from './walls.ts';

export interface LauncherParts {
  readonly mode: IsolationMode;
  readonly cgroups: CgroupsMode;
  /** Absolute: the folder of what the proxy keeps. */
  readonly state: string;
  /** Absolute: the folder of the configuration. */
  readonly folder: string;
  /** Absolute: what no server may see. */
  readonly secret: () => readonly string[];
  readonly limits: WallParts['limits'];
  /** Names of the proxy's own variables that children get too. */
  readonly passEnv: readonly string[];
  /** Told of `orphans.ended`, `keeper.lost`, `egress.failed`, `cgroup.failed` and `worker.yields`. */
  readonly announce: Announce;
}

/** Starts servers, each behind the wall that is in force. */
export interface Launcher {
  readonly launch: Launch;
  readonly isolation: WallsInForce;
  /** These may be launched for: what can be prepared for their first call is, and what cannot says so then. */
  expect(tenantIds: readonly TenantId[]): void;
  /** Ends whatever was started. Nothing is launched any more. */
  close(): Promise<void>;
}

/** Where programs are if nobody says. */
const usualPath = '/usr/local/bin:/usr/bin:/bin';

/** @throws {NoWall} if a wall is required and there is none; {Error} if the state folder cannot be written */
export async function openLauncher(parts: LauncherParts): Promise<Launcher> {
  prepareState(parts.state);
  const wall = await openWall(parts);
  const orphans = await sweepOrphans(parts.state);
  if (orphans > 0) parts.announce({ type: 'orphans.ended', count: orphans });
  const instance = openInstance(parts.state);
  const cgroups = await cgroupsFor(parts, instance.mark);
  let nextId = 1;
  let line: KeeperLine | undefined;
  let isClosed = false;
  /** Whose they are, for what is told of them. */
  const running = new Map<number, ServerFacts>();
  const keeper = (): KeeperLine =>
    (line ??= new KeeperLine({
      mark: instance.mark,
      instanceFile: instance.file,
      branches: cgroups.branches ?? [],
      ...newsOf(parts, running),
      lost: () => {
        line = undefined;
        parts.announce({ type: 'keeper.lost' });
      },
    }));
  // It is there before the first caller is.
  keeper();

  async function launch(spec: ServerSpec, tenantId: TenantId): Promise<Child> {
    const id = nextId++;
    const mark = `${instance.mark}.${id}`;
    const env = { ...childEnvironment(spec, process.env, parts.passEnv), [markName]: mark };
    const order = orderOrTrouble(wall, { tenantId, spec, env });
    if ('cause' in order) return stillborn(order.cause, order.words);
    if (isClosed) return stillborn('ECANCELED');
    const chosen = keeper();
    running.set(id, { tenantId, server: spec.name });
    const room = cgroups.branches && roomFor(wall, { tenantId, spec });
    const launched = await chosen.launch({ ...order, ...(room && { room }) }, id);
    if ('exit' in launched) void launched.exit.then(() => running.delete(id));
    else running.delete(id);
    return childOf(launched, (signal) => chosen.signal(id, signal));
  }

  return {
    launch,
    isolation: { ...wall.isolation, ...inForce(cgroups) },
    expect: (tenantIds) => expectAll(wall, tenantIds),
    async close() {
      isClosed = true;
      await line?.close();
      if (cgroups.branches) await cgroups.close();
    },
  };
}

function expectAll({ isolation, users }: WallParts, tenantIds: readonly TenantId[]): void {
  if (isolation.variant !== 'root' && isolation.tier !== 'uid per tenant') return;
  try {
    users.expect(tenantIds);
  } catch {
    // Whoever is launched needs a number, and is told why there is none.
  }
}

/** What the keeper says of a process, as news of the server it runs. */
function newsOf(
  { announce }: LauncherParts,
  running: ReadonlyMap<number, ServerFacts>,
): Pick<KeeperParts, 'unreached' | 'unheld' | 'yields'> {
  const tell = (id: number, make: (facts: ServerFacts) => ProxyEvent): void => {
    const facts = running.get(id);
    if (facts) announce(make(facts));
  };
  return {
    unreached: (id, { host, port, reason, suppressed }) =>
      tell(id, (facts) => ({ type: 'egress.failed', ...facts, host, port, reason, suppressed })),
    unheld: (id, reason) => tell(id, (facts) => ({ type: 'cgroup.failed', ...facts, reason })),
    yields: (id) => tell(id, (facts) => ({ type: 'worker.yields', ...facts })),
  };
}

/** Cgroups are no wall: where they cannot be had, all works as without. */
async function cgroupsFor({ mode, cgroups }: LauncherParts, mark: string): Promise<Cgroups> {
  const off = mode === 'none' ? 'workers.isolation is none' : 'workers.cgroups is none';
  return mode === 'none' || cgroups === 'none' ? { branches: undefined, reason: off } : openCgroups(mark);
}

function inForce(cgroups: Cgroups): Pick<WallsInForce, 'cgroups' | 'cgroupsReason'> {
  if (cgroups.branches === undefined) return { cgroups: undefined, cgroupsReason: cgroups.reason };
  const held = controllers.filter((each) =>
    cgroups.branches.some((branch) => branch.controllers.includes(each)),
  );
  const missing = controllers.filter((each) => !held.includes(each));
  const reason = missing.length === 0 ? undefined : `there is no controller for ${missing.join(', ')}`;
  return { cgroups: `v${cgroups.branches[0]?.version ?? 1}: ${held.join(', ')}`, cgroupsReason: reason };
}

async function openWall(parts: LauncherParts): Promise<WallParts> {
  const { mode, state, folder, secret, limits } = parts;
  const searched = process.env['PATH'] ?? usualPath;
  const [users, copies] = [openTenantUsers(state), openSystemCopies(state)];
  const probe = { mode, state, folder, secret: secret(), searched, users, copies };
  const isolation = await chooseWall(probe);
  const bwrap = findProgram('bwrap', searched, '/');
  return {
    isolation,
    state,
    secret,
    limits,
    bwrap: 'file' in bwrap ? bwrap.file : 'bwrap',
    hasSetpriv: hasSetpriv(searched),
    users,
    copies,
  };
}

interface Wanted {
  readonly tenantId: TenantId;
  readonly spec: ServerSpec;
  readonly env: Readonly<Record<string, string>>;
}
interface Trouble {
  readonly cause: string;
  readonly words: string;
}

/** Found out before anything is started, because behind the gate it would be the shell that says it. */
function orderOrTrouble(wall: WallParts, wanted: Wanted): Omit<LaunchOrder, 'type' | 'id'> | Trouble {
  const { spec, env } = wanted;
  const trouble = folderTrouble(spec.cwd);
  if (trouble !== undefined) return { cause: trouble, words: '' };
  const found = findProgram(spec.command, env['PATH'] ?? usualPath, spec.cwd);
  if ('cause' in found) return { cause: found.cause, words: '' };
  try {
    return orderFor(wall, { ...wanted, file: found.file });
  } catch (thrown) {
    return { cause: 'SANDBOX', words: thrown instanceof Error ? thrown.message : '' };
  }
}
