import type { InitializeResult } from '../mcp/handshake.ts';
import { isListChanged, isLogWanted, methodNotFound, methods } from '../mcp/methods.ts';
import { type Message, paramsOf, readMessage, textOf } from '../mcp/message.ts';
import { splice } from '../mcp/splice.ts';
import type { AttachedLine } from './attached-line.ts';
import type { Sharing } from './spec.ts';
import type { Worker } from './worker.ts';

/**
 * Whose is a notification that the server sent of itself? Only what a session asked for, or what is about
 * the one call in flight, is passed on; in doubt it is dropped, for it could show one user another's data.
 */
export function routeNotification({ worker, sharing, lines }: Origin, message: Message): void {
  const { method } = message;
  if (method === methods.resourceUpdated) {
    const { uri } = paramsOf(message);
    for (const line of worker.lines) {
      if (line.subscriptions.has(String(uri))) line.caller.hear(message, undefined);
    }
  } else if (isListChanged(method)) {
    // A list is the server's, whichever of its workers says so; on an exclusive one it is the session's own.
    for (const line of sharing === 'exclusive' ? worker.lines : lines) line.caller.hear(message, undefined);
  } else {
    const target = addressee(worker, sharing);
    if (!target) return;
    if (method === methods.message && !isLogWanted(paramsOf(message)['level'], target.line.logLevel)) return;
    target.line.caller.hear(message, target.call);
  }
}

/** Where a notification comes from. */
export interface Origin {
  readonly worker: Worker;
  readonly sharing: Sharing;
  /** All sessions of the server. */
  readonly lines: Iterable<AttachedLine>;
}

/** Another generation is in force: what clients know of its lists may be out of date. `before`: what they were told to expect. */
export function tellListsChanged(lines: Iterable<AttachedLine>, before: InitializeResult | undefined): void {
  for (const feature of ['tools', 'prompts', 'resources']) {
    const known = before?.capabilities[feature] as { listChanged?: unknown } | undefined;
    if (known?.listChanged !== true) continue;
    const method = `notifications/${feature}/list_changed`;
    const message = readMessage(Buffer.from(JSON.stringify({ jsonrpc: '2.0', method })));
    for (const { caller } of lines) caller.hear(message, undefined);
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

/** Of a client that cannot be told, or cannot answer. */
const refusal = readMessage(
  Buffer.from(
    JSON.stringify({
      jsonrpc: '2.0',
      id: 0,
      error: {
        code: methodNotFound,
        message: 'The proxy cannot tell which client this is for, or that client cannot answer it',
      },
    }),
  ),
);

function refuse(worker: Worker, { bytes, id }: Message): void {
  if (!id || !refusal.id) return;
  worker.send(splice(refusal.bytes, [{ span: refusal.id, text: textOf(bytes, id) }]));
}
