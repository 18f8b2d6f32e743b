import { type ChildProcess, type SendHandle, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Socket } from 'node:net';
import { type Cell, evaded } from './cgroups/cells.ts';
import type { FromKeeper, LaunchOrder } from './keeper-messages.ts';
import { withFilter } from './refused-calls.ts';
import { childrenOf, companionsOf, familyOf, signal } from './processes.ts';

type Tell = (message: FromKeeper, handle?: SendHandle, sent?: () => void) => void;

/** A process of the keeper's, from its order to its exit. */
export interface Kept {
  readonly order: LaunchOrder;
  readonly tell: Tell;
  /** What holds all its processes together. */
  readonly cell: Cell | undefined;
  signal(name: NodeJS.Signals): void;
  child: ChildProcess | undefined;
  /** Why it is ended before it began, if that is known. */
  trouble: string;
  /** The group the server is in: its own, or that of the first process inside the sandbox. */
  group: number | undefined;
}

/** Node makes every `pipe` a socket, whichever way it goes. */
type Pipes = readonly [stdin: Socket, stdout: Socket, stderr: Socket, gate: Socket, news: Socket];

/** What a sandbox says before it gives up, at most. */
const maxWordsBytes = 4096;
/** How long they are waited for, in milliseconds. */
const lastWordsMs = 100;
/** A server that has just begun has better use for the processors than to be put into its cgroup, in milliseconds. */
const settledMs = 250;
/** In what bubblewrap tells of itself; the comma or bracket behind it says that the number is whole. */
const childPid = /"child-pid": (\d+)\s*[,}]/;

export function createKept(order: LaunchOrder, tell: Tell, cell?: Cell): Kept {
  const kept: Kept = {
    order,
    tell,
    cell,
    child: undefined,
    trouble: '',
    group: undefined,
    signal(name) {
      const { child, group } = kept;
      if (child?.pid === undefined || isOver(child)) return;
      // bubblewrap would end at once and take the server with it: what asks politely goes to the server itself.
      if (group !== undefined) signal(-group, name);
      if (group === undefined || name === 'SIGKILL') signal(-child.pid, name);
    },
  };
  return kept;
}

/** Leads the ways out of a process's room somewhere. @throws {Error} in words for an operator */
type OpenWays = (child: ChildProcess) => Promise<void>;

/** Start it. `ended` hears of its exit, once; not if it never began. */
export function startKept(
  kept: Kept,
  openWays: OpenWays,
  ended: (exit: Extract<FromKeeper, { type: 'exit' | 'failed' }>) => void,
): void {
  const { order, tell } = kept;
  const { id } = order;
  let child: ChildProcess;
  if (!order.isWrapped) kept.cell?.prepare();
  try {
    child = spawnOrdered(order);
  } catch (thrown) {
    ended({ type: 'failed', id, cause: causeOf(thrown), words: '' });
    return;
  }
  kept.child = child;
  const [stdin, stdout, stderr, gate, news] = child.stdio as unknown as Pipes;
  child.once('error', (thrown) => ended({ type: 'failed', id, cause: causeOf(thrown), words: '' }));
  if (child.pid === undefined) return;
  if (!order.isWrapped) kept.cell?.admit(child.pid);
  gate.on('error', () => undefined);
  const words = listen(stderr);
  const ways = order.ways && led(kept, openWays(child));
  tell({ type: 'stdout', id }, stdout);
  let isOpen = false;
  const open = (told: string): void => {
    isOpen = true;
    const place = placeOf(kept, told);
    kept.group = place.group;
    // A namespace has all its processes together, whatever they do: there nobody has to wait for the cgroup.
    const held = order.isWrapped ? Promise.resolve() : hold(kept);
    const go = (): void => {
      if (isOver(child)) return;
      gate.end('go\n');
      tell({ type: 'started', id, ...place });
      if (order.isWrapped) holdLater(kept, child);
    };
    tell({ type: 'stderr', id }, stderr);
    // Until its receipt comes, Node goes on to read a pipe that it has sent, and throws away what it reads. One is sent only
    // when the one before was received; and of the last, stdin, nothing is read.
    tell({ type: 'stdin', id }, stdin, () => void held.then(go));
  };
  const opened = (told: string): void => void ways?.then((isLed) => isLed && !isOver(child) && open(told));
  whenReady(kept, gate, news, ways ? opened : open);
  child.once('exit', (code, name) => {
    if (isOpen) ended({ type: 'exit', id, ...exitOf(order, code, name) });
    else
      void words().then((said) =>
        ended({ type: 'failed', id, cause: 'SANDBOX', words: said || kept.trouble }),
      );
  });
}

/** False if its ways lead nowhere: then it is ended at the gate. */
async function led(kept: Kept, ways: Promise<void>): Promise<boolean> {
  try {
    await ways;
    return true;
  } catch (thrown) {
    kept.trouble = thrown instanceof Error ? thrown.message : 'unknown';
    kept.signal('SIGKILL');
    return false;
  }
}

function spawnOrdered({ file, args, env, cwd, uid, ways, filter }: LaunchOrder): ChildProcess {
  const user = uid === undefined ? {} : { uid, gid: uid };
  return withFilter(filter, (descriptors) =>
    spawn(file, args, {
      ...{ cwd, env, ...user, detached: true },
      stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe', ...(ways ? (['ipc'] as const) : []), ...descriptors],
    }),
  );
}

/** What comes on stderr before the gate is the sandbox's or the system's; some of it may still be in the pipe at the end. */
function listen(stderr: Socket): () => Promise<string> {
  let words = '';
  stderr.on('data', (chunk: Buffer) => {
    if (words.length < maxWordsBytes) words += chunk.toString('utf8');
  });
  const ended = new Promise((resolve) => stderr.once('end', resolve));
  const waited = () => new Promise((resolve) => setTimeout(resolve, lastWordsMs));
  return () => Promise.race([ended, waited()]).then(() => words.slice(0, maxWordsBytes));
}

/** The gate says so; bubblewrap has told before, on a line of its own, which process is the first inside. */
function whenReady({ order }: Kept, gate: Socket, news: Socket, ready: (told: string) => void): void {
  let told = '';
  let isAtGate = false;
  let isTold = !order.isWrapped;
  const look = (): void => {
    if (!isAtGate || !isTold) return;
    isAtGate = false;
    ready(told);
  };
  // Two pipes: what was written first need not be read first.
  news.on('data', (chunk: Buffer) => {
    told += chunk.toString('latin1');
    isTold ||= childPid.test(told);
    look();
  });
  news.on('error', () => undefined);
  gate.once('data', () => {
    isAtGate = true;
    look();
  });
}

function holdLater(kept: Kept, child: ChildProcess): void {
  setTimeout(() => {
    if (!isOver(child)) void hold(kept);
  }, settledMs);
}

/** Put a process and all that it has started into its cgroup. Who runs away from that is ended. */
async function hold(kept: Kept): Promise<void> {
  const { order, cell, child, tell } = kept;
  const pid = child?.pid;
  if (cell === undefined || child === undefined || pid === undefined) return;
  if (order.isWrapped) cell.admit(pid);
  const first = kept.group ?? pid;
  const reason = await cell.settle(() => [...familyOf(pid), ...(order.isWrapped ? companionsOf(first) : [])]);
  if (reason === undefined || isOver(child)) return;
  tell({ type: 'unheld', id: order.id, reason });
  if (reason === evaded) kept.signal('SIGKILL');
}

const isOver = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

function placeOf({ order, child }: Kept, told: string): { pid: number; group: number } {
  const outer = child?.pid ?? 0;
  if (!order.isWrapped) return { pid: outer, group: outer };
  const first = Number(childPid.exec(told)?.[1] ?? outer);
  // The first process inside leads the session and collects the dead; its only child is what stands at the gate.
  return { pid: childrenOf(first)[0] ?? first, group: first };
}

/** bubblewrap tells by an exit code above 128 that the server was ended by a signal, as a shell does. */
function exitOf({ isWrapped }: LaunchOrder, code: number | null, name: string | null) {
  const byNumber = isWrapped && code !== null && code > 128 ? signalOf(code - 128) : undefined;
  if (byNumber !== undefined) return { exitCode: undefined, signal: byNumber };
  return { exitCode: code ?? undefined, signal: name ?? undefined };
}

function signalOf(number: number): string | undefined {
  return Object.entries(constants.signals).find(([, each]) => each === number)?.[0];
}

function causeOf(thrown: unknown): string {
  return (thrown as { code?: string }).code ?? 'EUNKNOWN';
}
