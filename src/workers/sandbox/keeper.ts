/**
 * The keeper: a small process of the proxy's that starts the servers' processes and sees to it that none is left.
 *
 * It is one of its own because a process that forks stands still for as long as its memory is large, and because
 * the proxy may be killed at any moment: the keeper then reads the end of its stdin and ends all it has started, down
 * to grandchildren that have left their group and session. It knows them by their cgroup where there are cgroups, by a mark in their environment, or by their user.
 * If it is the keeper that is killed, the proxy does the same (`keeper-line.ts`).
 */
import type { ChildProcess, SendHandle } from 'node:child_process';
import { rmSync } from 'node:fs';
import { Cells } from './cgroups/cells.ts';
import { type Branch, closeLeaf } from './cgroups/cgroups.ts';
import { RelayLine } from './egress/relay-line.ts';
import { closeInherited } from './inherited.ts';
import type { FromKeeper, LaunchOrder, ToKeeper } from './keeper-messages.ts';
import { createKept, type Kept, startKept } from './kept-process.ts';
import { carriesMark, findProcesses, groupOf, kill, killAll, runsAs } from './processes.ts';

closeInherited();

const [mark = '', instanceFile = '', told = '[]'] = process.argv.slice(2);
const branches = JSON.parse(told) as Branch[];
/** How long the last sweep may take, in milliseconds: a fork bomb is faster than one look. */
const sweepMs = 5000;

/** How long the proxy may take to hear the last of a process before what it left behind is ended, in milliseconds. */
const releaseMs = 1000;

const cells = new Cells(branches, (id) => tell({ type: 'yields', id }));
const kept = new Map<number, Kept>();
/** What is left to be done for processes that are gone. */
const left = new Map<number, () => void>();
/** Users that are tenants' alone: whatever runs as one of them is ours. */
const uids = new Set<number>();

/** Leads servers that have an allow-list out of their networks; what has lost its ways is ended, and started anew with others. */
const relay = new RelayLine({
  mark,
  unreached: (id, told) => tell({ type: 'unreached', id, ...told }),
  lost: () => {
    for (const each of kept.values()) if (each.order.ways) each.signal('SIGKILL');
  },
});

function tell(message: FromKeeper, handle?: SendHandle, sent: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, handle, {}, sent);
}

function hear(order: ToKeeper): void {
  if (order.type === 'launch') launch(order);
  else if (order.signal === 'SIGKILL' && left.has(order.id)) left.get(order.id)?.();
  else kept.get(order.id)?.signal(order.signal);
}

function launch(order: LaunchOrder): void {
  if (order.uid !== undefined) uids.add(order.uid);
  const started = createKept(order, tell, order.room && cells.cellFor(order.room, order.id));
  kept.set(order.id, started);
  const openWays = (child: ChildProcess) => relay.open(order.id, order.ways ?? [], child);
  startKept(started, openWays, (exit) => {
    kept.delete(order.id);
    if (order.ways) relay.close(order.id);
    if (order.isWrapped) void started.cell?.end();
    else leave(started);
    tell(exit);
  });
}

/**
 * What a process leaves behind may speak until the proxy has heard the last of it, and ends then: its group as it is
 * now, whoever is in its cgroup or carries its mark, and, once the tenant has no other process, whoever runs as its user.
 */
function leave({ order: { id, uid }, group, cell }: Kept): void {
  const behind = group === undefined ? [] : findProcesses((pid) => groupOf(pid) === group);
  const timer = setTimeout(() => left.get(id)?.(), releaseMs);
  left.set(id, () => {
    left.delete(id);
    clearTimeout(timer);
    behind.forEach(kill);
    void cell?.end();
    const users = new Set(uid === undefined ? [] : [uid]);
    // Asked anew for each process: the tenant's next one may start while this is going on.
    const isLast = (): boolean => ![...kept.values()].some(({ order }) => order.uid === uid);
    void killAll((pid) => (isLast() && runsAs(pid, users)) || carriesMark(pid, [`${mark}.${id}\0`]), sweepMs);
  });
}

async function end(): Promise<void> {
  for (const each of kept.values()) each.signal('SIGKILL');
  const marked = killAll((pid) => runsAs(pid, uids) || carriesMark(pid, [mark]), sweepMs);
  await Promise.all([marked, cells.end()]);
  closeLeaf(branches);
  try {
    if (instanceFile !== '') rmSync(instanceFile, { force: true });
  } catch {
    // The next start looks for what is left, finds nothing, and removes it.
  }
  process.exit();
}

process.on('message', hear);
// Not the end of the channel: Node does not tell of that while the receipt of a pipe that was sent there is awaited,
// and a proxy that is killed within a launch never gives one.
process.stdin.once('close', () => void end()).resume();
// Whoever stops the proxy politely by signalling everybody must not have it lose the one who ends its processes.
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => undefined);
