import { type ChildProcess, fork } from 'node:child_process';
import { Socket } from 'node:net';
import { endCellsOf } from './cgroups/cells.ts';
import type { Branch } from './cgroups/cgroups.ts';
import { builtProgram } from './built-program.ts';
import type { Unreached } from './egress/egress-messages.ts';
import type { FromKeeper, LaunchOrder, ToKeeper } from './keeper-messages.ts';
import { carriesMark, killAll, runsAs } from './processes.ts';

/** What came of an order. */
export type Launched =
  | {
      readonly pid: number;
      readonly group: number;
      readonly stdin: Socket;
      readonly stdout: Socket;
      readonly stderr: Socket;
      readonly exit: Promise<KeptExit>;
    }
  | { readonly cause: string; readonly words: string };

export interface KeptExit {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}

export interface KeeperParts {
  /** What its processes carry in their environment. */
  readonly mark: string;
  /** Removed by the keeper once nothing is left. */
  readonly instanceFile: string;
  /** A process did not get where its allow-list lets it go. */
  readonly unreached: (id: number, told: Unreached) => void;
  /** A process is not held by its cgroup. */
  readonly unheld: (id: number, reason: string) => void;
  /** A process keeps a processor busy, and gives way to all others. */
  readonly yields: (id: number) => void;
  /** Where it makes cgroups; left out: nowhere. */
  readonly branches?: readonly Branch[];
  /** It died although nobody told it to; all it kept is ended. */
  readonly lost: () => void;
}

interface Pending {
  readonly pipes: Partial<Record<'stdin' | 'stdout' | 'stderr', Socket>>;
  /** Only the first time counts. */
  settle(launched: Launched): void;
  ended(exit: KeptExit): void;
  readonly exit: Promise<KeptExit>;
}

/** How long what a dead keeper kept is looked for, in milliseconds. */
const sweepMs = 3000;
const lostExit: KeptExit = { exitCode: undefined, signal: 'SIGKILL' };

/** The proxy's line to its keeper. */
export class KeeperLine {
  readonly #parts: KeeperParts;
  readonly #keeper: ChildProcess;
  readonly #processes = new Map<number, Pending>();
  /** Users that were given to tenants. */
  readonly #uids = new Set<number>();
  readonly #gone: Promise<void>;
  #isClosing = false;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#keeper = forkKeeper(parts);
    this.#gone = new Promise((resolve) => {
      const end = (): void => void this.#end().then(resolve);
      this.#keeper.once('exit', end);
      this.#keeper.once('error', end);
    });
    this.#keeper.on('message', (message, handle) => {
      this.#hear(message as FromKeeper, handle as Socket | undefined);
    });
  }

  /** Starts a process. Never rejects. */
  launch(order: Omit<LaunchOrder, 'type' | 'id'>, id: number): Promise<Launched> {
    const { connected, channel } = this.#keeper;
    if (!connected) return Promise.resolve({ cause: 'SANDBOX', words: 'the keeper does not run' });
    if (order.uid !== undefined) this.#uids.add(order.uid);
    return new Promise((resolve) => {
      this.#processes.set(id, createPending(resolve));
      channel?.ref();
      this.#tell({ ...order, type: 'launch', id });
    });
  }

  signal(id: number, signal: NodeJS.Signals): void {
    this.#tell({ type: 'signal', id, signal });
  }

  /** Ends everything it keeps, and the keeper. */
  close(): Promise<void> {
    this.#isClosing = true;
    // From now on it is worth waiting for.
    this.#keeper.ref();
    this.#keeper.stdin?.destroy();
    return this.#gone;
  }

  #tell(order: ToKeeper): void {
    if (this.#keeper.connected) this.#keeper.send(order, () => undefined);
  }

  #hear(message: FromKeeper, handle: Socket | undefined): void {
    const found = this.#processes.get(message.id);
    // Nobody waits for it any more, so nobody may hold its pipes.
    if (message.type === 'unreached') this.#parts.unreached(message.id, message);
    else if (message.type === 'unheld') this.#parts.unheld(message.id, message.reason);
    else if (message.type === 'yields') this.#parts.yields(message.id);
    else if (!found) handle?.destroy();
    else if (message.type === 'started') found.settle(startedOf(found, message));
    else if (message.type === 'failed' || message.type === 'exit') this.#ended(found, message);
    else if (handle) found.pipes[message.type] = handle;
  }

  #ended(found: Pending, message: Extract<FromKeeper, { type: 'failed' | 'exit' }>): void {
    this.#processes.delete(message.id);
    // While it keeps something, its word is worth waiting for; its line alone is not.
    if (this.#processes.size === 0 && !this.#isClosing) this.#keeper.channel?.unref();
    if (message.type === 'failed') found.settle({ cause: message.cause, words: message.words });
    else {
      // It may have been killed while it stood at the gate: then nobody was told that it had started.
      found.settle({ cause: 'SANDBOX', words: 'it was ended before it began' });
      found.ended({ exitCode: message.exitCode, signal: message.signal });
    }
  }

  async #end(): Promise<void> {
    for (const each of this.#processes.values()) {
      each.settle({ cause: 'SANDBOX', words: 'the keeper ended' });
      each.ended(lostExit);
    }
    this.#processes.clear();
    if (this.#isClosing) return;
    const { lost, mark, branches = [] } = this.#parts;
    const cells = endCellsOf(branches);
    lost();
    await Promise.all([
      cells,
      killAll((pid) => runsAs(pid, this.#uids) || carriesMark(pid, [mark]), sweepMs),
    ]);
  }
}

function createPending(resolve: (launched: Launched) => void): Pending {
  let ended: (exit: KeptExit) => void = () => undefined;
  const exit = new Promise<KeptExit>((settle) => (ended = settle));
  const pipes: Pending['pipes'] = {};
  let isSettled = false;
  const settle = (launched: Launched): void => {
    if (isSettled) return;
    isSettled = true;
    if ('cause' in launched) for (const pipe of Object.values(pipes)) pipe.destroy();
    resolve(launched);
  };
  return { pipes, settle, ended, exit };
}

function startedOf(
  { pipes, exit }: Pending,
  { pid, group }: Extract<FromKeeper, { type: 'started' }>,
): Launched {
  const { stdin, stdout, stderr } = pipes;
  if (!stdin || !stdout || !stderr) return { cause: 'SANDBOX', words: 'its pipes did not arrive' };
  return { pid, group, stdin, stdout, stderr, exit };
}

/**
 * It gets nothing of the proxy's environment, leads a session of its own, and keeps nobody waiting. Its stdin is its
 * lifeline: nothing is ever written there, and its end is the proxy's end.
 */
function forkKeeper({ mark, instanceFile, branches = [] }: KeeperParts): ChildProcess {
  const keeper = fork(keeperFile, [mark, instanceFile, JSON.stringify(branches)], {
    execArgv: ['--max-semi-space-size=1'],
    env: {},
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore', 'ipc'],
  });
  keeper.unref();
  keeper.channel?.unref();
  keeper.stdin?.on('error', () => undefined);
  if (keeper.stdin instanceof Socket) keeper.stdin.unref();
  return keeper;
}

const keeperFile = builtProgram('keeper');
