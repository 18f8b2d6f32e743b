import { isListChanged, isLogWanted, methodNotFound, methods } from '../mcp/methods.ts';
import { type Message, paramsOf, textOf } from '../mcp/message.ts';
import { splice } from '../mcp/splice.ts';
import type { AttachedLine } from './attached-line.ts';
import type { Sharing } from './spec.ts';
import type { Worker } from './worker.ts';

/**
 * Whose is a notification that the server sent of itself? Only what a session asked for, or what is about
 * the one call in flight, is passed on; in doubt it is dropped, for it could show one user another's data.
 */
export function routeNotification(worker: Worker, sharing: Sharing, message: Message): void {
  const { method } = message;
  if (method === methods.resourceUpdated) {
    const { uri } = paramsOf(message);
    for (const line of worker.lines) {
      if (line.subscriptions.has(String(uri))) line.caller.hear(message, undefined);
    }
  } else if (isListChanged(method)) {
    for (const line of worker.lines) line.caller.hear(message, undefined);
  } else {
    const target = addressee(worker, sharing);
    if (!target) return;
    if (method === methods.message && !isLogWanted(paramsOf(message)['level'], target.line.logLevel)) return;
    target.line.caller.hear(message, target.call);
  }
}

/** A question of the server: asked only where it is certain who is meant, and that the client can answer it. */
export function routeRequest(worker: Worker, sharing: Sharing, message: Message): void {
  const target = sharing === 'shared' ? undefined : addressee(worker, sharing);
  const feature = message.method.split('/')[0] ?? '';
  const caller = target?.line.caller;
  const isAsked =
    caller !== undefined &&
    Object.hasOwn(caller.capabilities, feature) &&
    caller.ask(message, target?.call, (response) => {
      worker.send(response);
    });
  if (!isAsked) refuse(worker, message);
}

/** The holder of the only call in flight; on a worker of one session, that session in any case. */
function addressee(
  worker: Worker,
  sharing: Sharing,
): ReturnType<() => Worker['soleCall']> | { line: AttachedLine; call: undefined } {
  const sole = worker.soleCall;
  if (sole) return sole;
  const [only] = worker.lines;
  return sharing === 'exclusive' && only ? { line: only, call: undefined } : undefined;
}

function refuse(worker: Worker, { bytes, id }: Message): void {
  if (!id) return;
  const error = `{"code":${methodNotFound},"message":"The proxy cannot tell which client this is for, or that client cannot answer it"}`;
  worker.send(
    splice(Buffer.from(`{"jsonrpc":"2.0","id":0,"error":${error}}`), [
      { span: { start: 21, end: 22 }, text: textOf(bytes, id) },
    ]),
  );
}
