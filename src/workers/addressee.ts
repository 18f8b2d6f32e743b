import type { Call } from '../calls/call.ts';
import { metaKeys } from '../mcp/meta-keys.ts';
import { type Message, paramsOf, valueOf } from '../mcp/message.ts';
import type { AttachedLine } from './attached-line.ts';
import type { Sharing } from './spec.ts';
import { type TaskBook, taskIdOf } from './tasks.ts';
import type { Worker } from './worker.ts';

/** Whom the server means. */
export interface Addressee {
  readonly line: AttachedLine;
  /** The call it is about; undefined: it is for the session's own stream. */
  readonly call: Call | undefined;
}

/** What tells whom the server means. */
export interface Attribution {
  readonly worker: Worker;
  readonly sharing: Sharing;
  readonly tasks: Pick<TaskBook, 'lineOf'>;
}

/**
 * The owner of the task that the message names; else the holder of the only call in flight; on a worker of one session,
 * that session in any case. Nobody while the worker may still be at work on a call of another key that was given up: it
 * could be that one it speaks of.
 */
export function addresseeOf(
  { worker, sharing, tasks }: Attribution,
  message: Message,
): Addressee | undefined {
  if (sharing === 'exclusive') return onlySession(worker);
  const taskId = relatedTask(message);
  if (taskId !== undefined) return ownerOfTask(worker, tasks.lineOf(taskId), taskId);
  const sole = worker.talk.soleCall;
  return sole && !worker.talk.mayMeanOther(sole.call.keyName) ? sole : undefined;
}

/**
 * A client without sessions is there only in its calls: of several that are all its own, a question is of the one that
 * waits for no answer of its client's yet, for it may have left others so and never come back to them.
 */
function onlySession({ talk, lines }: Worker): Addressee | undefined {
  const sole = talk.soleCall;
  if (sole) return sole;
  const unasked = talk.soleUnasked;
  if (unasked?.call.visitor) return unasked;
  const [only] = lines;
  return only && { line: only, call: undefined };
}

/** The task a message is about (2025-11-25 basic/utilities/tasks, "Associating Task-Related Messages"). */
function relatedTask(message: Message): unknown {
  if (!message.meta) return undefined;
  const meta = valueOf(message, message.meta) as Readonly<Record<string, unknown>>;
  const related = meta[metaKeys.relatedTask];
  return typeof related === 'object' && related !== null && 'taskId' in related ? related.taskId : undefined;
}

/** Where the owner waits for the result, if it does; else on its own stream; else with the only call it has here. */
function ownerOfTask(
  { talk }: Worker,
  line: AttachedLine | undefined,
  taskId: unknown,
): Addressee | undefined {
  if (!line) {
    // The answer by which its owner is known may be on its way.
    const sole = talk.soleCall;
    return sole && paramsOf(sole.call.message)['task'] !== undefined ? sole : undefined;
  }
  const calls = talk.callsOf(line);
  const fetching = calls.find(
    ({ message }) => message.method === 'tasks/result' && taskIdOf(message) === taskId,
  );
  if (fetching || line.caller.isListening) return { line, call: fetching };
  return { line, call: calls.length === 1 ? calls[0] : undefined };
}
