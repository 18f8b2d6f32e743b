import { memberOf } from '../mcp/members.ts';
import { type Message, paramsOf, valueOf } from '../mcp/message.ts';
import type { Clock } from '../time/clock.ts';
import type { Worker } from './worker.ts';

/** A task of 2025-11-25: a call whose answer is fetched later, by whoever made it and nobody else. */
interface Task {
  readonly worker: Worker;
  readonly keyName: string;
  /** On the proxy's clock. */
  readonly until: number;
}

export interface TaskBook {
  /** The answer of worker `serial` to a call: if it is a task, it is `keyName`'s from now on. */
  note(serial: number, keyName: string, response: Message): void;
  /** The worker that has the task; undefined if there is no such task of this key, or it is gone. */
  workerOf(taskId: unknown, keyName: string): Worker | undefined;
  /** Whose task a message is about. */
  ownerOf(taskId: unknown): string | undefined;
  /** What was said of a task: one that is over keeps its worker no longer. */
  heard(task: unknown): void;
  /** The tasks of a key, as their servers list them. */
  list(keyName: string): Promise<unknown[]>;
}

/** A task that says nothing of how long it is kept is kept so long, and none longer, in milliseconds. */
const longestMs = 3_600_000;
const maxTasks = 10_000;
const maxPages = 20;
const terminal = new Set(['completed', 'failed', 'cancelled']);

type Json = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Task ids are a worker's, and a worker is shared: without this book one client could fetch another's results. */
export function createTaskBook(clock: Clock, workerBy: (serial: number) => Worker | undefined): TaskBook {
  const tasks = new Map<string, Task>();

  function find(taskId: unknown): Task | undefined {
    const task = tasks.get(String(taskId));
    if (!task || (clock.now() < task.until && task.worker.state !== 'gone')) return task;
    drop(String(taskId));
    return undefined;
  }

  function drop(taskId: string): void {
    tasks.get(taskId)?.worker.liveTasks.delete(taskId);
    tasks.delete(taskId);
  }

  return {
    note(serial, keyName, { bytes, resultMembers }) {
      const span = memberOf(resultMembers, 'task');
      const worker = span && workerBy(serial);
      if (!worker) return;
      const said: unknown = JSON.parse(bytes.toString('utf8', span.start, span.end));
      const { taskId, ttl } = isRecord(said) ? said : {};
      // One that another has already cannot be had by naming it again.
      if (typeof taskId !== 'string' || find(taskId)) return;
      const keepMs = typeof ttl === 'number' && ttl > 0 ? Math.min(ttl, longestMs) : longestMs;
      tasks.set(taskId, { worker, keyName, until: clock.now() + keepMs });
      worker.liveTasks.add(taskId);
      clock.after(keepMs, () => drop(taskId));
      const [oldest] = tasks.keys();
      if (tasks.size > maxTasks && oldest !== undefined) drop(oldest);
    },
    workerOf(taskId, keyName) {
      const task = find(taskId);
      return task?.keyName === keyName && task.worker.isOpen ? task.worker : undefined;
    },
    ownerOf: (taskId) => find(taskId)?.keyName,
    heard(task) {
      if (!isRecord(task) || !terminal.has(String(task['status']))) return;
      const taskId = String(task['taskId']);
      tasks.get(taskId)?.worker.liveTasks.delete(taskId);
    },
    async list(keyName) {
      const workers = new Set(
        [...tasks.values()].filter((task) => task.keyName === keyName).map(({ worker }) => worker),
      );
      const lists = await Promise.all([...workers].map((worker) => listOf(worker)));
      return lists.flat().filter((task) => isRecord(task) && find(task['taskId'])?.keyName === keyName);
    },
  };
}

async function listOf(worker: Worker): Promise<unknown[]> {
  const all: unknown[] = [];
  let cursor: unknown;
  for (let page = 0; page < maxPages && worker.isOpen; page++) {
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
