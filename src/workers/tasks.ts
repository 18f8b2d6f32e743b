import { memberOf } from '../mcp/members.ts';
import { type Message, paramsOf, valueOf } from '../mcp/message.ts';
import type { Clock } from '../time/clock.ts';
import type { AttachedLine } from './attached-line.ts';
import type { Worker } from './worker.ts';

/** A task of 2025-11-25: a call whose answer is fetched later, by whoever made it and nobody else. */
interface Task {
  readonly worker: Worker;
  /** Of the session that asked for it. */
  readonly line: AttachedLine;
  /** On the proxy's clock. */
  readonly until: number;
  isOver: boolean;
}

/** A task that says nothing of how long it is kept is kept so long, and none longer, in milliseconds. */
const longestMs = 3_600_000;
/** How long the result of a task that is over may lie before its worker need not be kept for it, in milliseconds. */
const unfetchedMs = 300_000;
const maxTasks = 10_000;
const maxPages = 20;
const terminal = new Set(['completed', 'failed', 'cancelled']);
const keyOf = ({ line }: Task) => line.caller.keyName;

type Json = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Task ids are a worker's, and a worker is shared: without this book one client could fetch another's results. */
export class TaskBook {
  readonly #tasks = new Map<string, Task>();
  readonly #clock: Clock;
  readonly #workerBy: (serial: number) => Worker | undefined;

  constructor(clock: Clock, workerBy: (serial: number) => Worker | undefined) {
    this.#clock = clock;
    this.#workerBy = workerBy;
  }

  /** The answer of worker `serial` to a call of `line`: if it is a task, it is of its session and key from now on. */
  note(serial: number, line: AttachedLine, { bytes, resultMembers }: Message): void {
    const span = memberOf(resultMembers, 'task');
    const worker = span && this.#workerBy(serial);
    if (!worker) return;
    const said: unknown = JSON.parse(bytes.toString('utf8', span.start, span.end));
    const { taskId, ttl } = isRecord(said) ? said : {};
    // One that another has already cannot be had by naming it again.
    if (typeof taskId !== 'string' || this.#find(taskId)) return;
    const keepMs = typeof ttl === 'number' && ttl > 0 ? Math.min(ttl, longestMs) : longestMs;
    const task = { worker, line, until: this.#clock.now() + keepMs, isOver: false };
    this.#tasks.set(taskId, task);
    worker.beginTask(taskId);
    this.#later(keepMs, taskId, task, () => this.#drop(taskId));
    const [oldest] = this.#tasks.keys();
    if (this.#tasks.size > maxTasks && oldest !== undefined) this.#drop(oldest);
  }

  /** The worker that has the task; undefined if there is no such task of this key, or it is gone. */
  workerOf(taskId: unknown, keyName: string): Worker | undefined {
    const task = this.#find(taskId);
    return task && keyOf(task) === keyName && task.worker.isReachable ? task.worker : undefined;
  }

  /** Whose task a message is about: the name of a key. */
  ownerOf(taskId: unknown): string | undefined {
    const task = this.#find(taskId);
    return task && keyOf(task);
  }

  /** The session that asked for the task, if it is still there. */
  lineOf(taskId: unknown): AttachedLine | undefined {
    const line = this.#find(taskId)?.line;
    return line?.isGone === false ? line : undefined;
  }

  /** What was said of a task. One that is over keeps its worker only for a while, until its result is fetched. */
  heard(said: unknown): void {
    if (!isRecord(said) || !terminal.has(String(said['status']))) return;
    const { taskId, status } = said;
    const task = this.#find(taskId);
    if (!task || task.isOver) return;
    task.isOver = true;
    if (status === 'cancelled') this.fetched(taskId);
    else this.#later(unfetchedMs, taskId, task, () => this.fetched(taskId));
  }

  /** Its result was fetched: it keeps its worker no longer. */
  fetched(taskId: unknown): void {
    this.#tasks.get(String(taskId))?.worker.endTask(String(taskId));
  }

  /** The session is over, and nobody else may have its tasks. */
  abandon(line: AttachedLine): void {
    for (const [taskId, task] of [...this.#tasks]) if (task.line === line) this.#drop(taskId);
  }

  /** The tasks of a key, as their servers list them. */
  async list(keyName: string): Promise<unknown[]> {
    const own = [...this.#tasks.values()].filter((task) => keyOf(task) === keyName);
    const workers = new Set(own.map(({ worker }) => worker));
    const lists = await Promise.all([...workers].map((worker) => listOf(worker)));
    return lists.flat().filter((task) => isRecord(task) && this.ownerOf(task['taskId']) === keyName);
  }

  #find(taskId: unknown): Task | undefined {
    const task = this.#tasks.get(String(taskId));
    if (!task || (this.#clock.now() < task.until && task.worker.state !== 'gone')) return task;
    this.#drop(String(taskId));
    return undefined;
  }

  /** A server that was started anew may give the names of its tasks once more: what was to become of one is not for the next. */
  #later(ms: number, taskId: unknown, task: Task, act: () => void): void {
    this.#clock.after(ms, () => {
      if (this.#tasks.get(String(taskId)) === task) act();
    });
  }

  #drop(taskId: string): void {
    this.fetched(taskId);
    this.#tasks.delete(taskId);
  }
}

async function listOf(worker: Worker): Promise<unknown[]> {
  const all: unknown[] = [];
  let cursor: unknown;
  for (let page = 0; page < maxPages && worker.isReachable; page++) {
    const response = await worker.talk.inquire('tasks/list', cursor === undefined ? {} : { cursor });
    const result = response && valueOf(response, response.result);
    if (!isRecord(result) || !Array.isArray(result['tasks'])) break;
    all.push(...(result['tasks'] as unknown[]));
    cursor = result['nextCursor'];
    if (typeof cursor !== 'string') break;
  }
  return all;
}

/** `params.taskId` of a request or notification. */
export const taskIdOf = (message: Message): unknown => paramsOf(message)['taskId'];
