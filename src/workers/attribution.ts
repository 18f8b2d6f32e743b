import { canAnswer, neededCapability } from '../bridge/questions.ts';
import type { Question } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import type { ServerFacts } from '../mcp/handshake.ts';
import { isListChanged, isLogWanted, isRemoved, methodNotFound, methods } from '../mcp/methods.ts';
import { type Message, paramsOf, readMessage, textOf, valueOf } from '../mcp/message.ts';
import { splice } from '../mcp/splice.ts';
import { isPartOfAny } from '../mcp/sub-resource.ts';
import { type Addressee, addresseeOf, type Attribution } from './addressee.ts';
import type { AttachedLine } from './attached-line.ts';
import { type TaskBook, taskIdOf } from './tasks.ts';
import type { Worker } from './worker.ts';

/** Where a notification comes from. */
export interface Origin extends Attribution {
  /** All sessions of the server. */
  readonly lines: Iterable<AttachedLine>;
  readonly tasks: Pick<TaskBook, 'heard' | 'lineOf' | 'ownerOf'>;
}

/**
 * Whose is a notification that the server sent of itself? Only what a session asked for, or what is about
 * the one call in flight, is passed on; in doubt it is dropped, for it could show one user another's data.
 */
export function routeNotification(origin: Origin, message: Message): void {
  const { worker, sharing } = origin;
  const { method } = message;
  if (method === methods.resourceUpdated) tellResource(worker, message);
  else if (isListChanged(method)) tellList(origin, message);
  else if (method === methods.cancelled) withdraw(worker, message);
  else if (method === methods.taskStatus && sharing !== 'exclusive') tellTaskStatus(origin, message);
  else if (method === methods.elicited && sharing !== 'exclusive') tellElicited(worker, message);
  else tellAddressee(origin, message);
}

function tellResource({ lines }: Worker, message: Message): void {
  const uri = String(valueOf(message, message.uri));
  for (const { subscriptions, caller } of lines)
    if (isPartOfAny(uri, subscriptions)) caller.hear(message, undefined);
}

/** A list is the server's, whichever of its workers says so; on an exclusive one it is the session's own. */
function tellList({ worker, sharing, lines }: Origin, message: Message): void {
  for (const { caller } of sharing === 'exclusive' ? worker.lines : lines) caller.hear(message, undefined);
}

function tellAddressee(origin: Origin, message: Message): void {
  const target = addresseeOf(origin, message);
  // A session that has a worker to itself is told what that says, as it says it.
  const isAlone = origin.sharing === 'exclusive' && !target?.call?.visitor;
  if (target && (isAlone || isWanted(target, message))) target.line.caller.hear(message, target.call);
}

/** That a page was visited is told to who was sent there, and nobody else (2025-11-25 client/elicitation, "Completion"). */
function tellElicited({ talk }: Worker, message: Message): void {
  const line = talk.elicitations.get(String(paramsOf(message)['elicitationId']));
  const { soleCall } = talk;
  const call = soleCall?.line === line ? soleCall?.call : undefined;
  if (line && isWanted({ line, call }, message)) line.caller.hear(message, call);
}

/** How a task stands is told to whose it is, on all their sessions. */
function tellTaskStatus({ lines, tasks }: Origin, message: Message): void {
  const owner = tasks.ownerOf(taskIdOf(message));
  tasks.heard(paramsOf(message));
  if (owner === undefined) return;
  for (const { caller } of lines) if (caller.keyName === owner) caller.hear(message, undefined);
}

function isWanted({ line, call }: Addressee, message: Message): boolean {
  if (call?.visitor && isRemoved(message.method)) return false;
  if (message.method !== methods.message) return true;
  const { level } = paramsOf(message);
  if (!call?.visitor) return isLogWanted(level, line.logLevel);
  const { logLevel } = call.visitor;
  return logLevel !== undefined && isLogWanted(level, logLevel);
}

/** Another generation is in force: what clients know of its lists may be out of date. `before`: what they were told to expect. */
export function tellListsChanged(lines: Iterable<AttachedLine>, before: ServerFacts | undefined): void {
  for (const feature of ['tools', 'prompts', 'resources']) {
    const known = before?.initialize.capabilities[feature] as { listChanged?: unknown } | undefined;
    if (known?.listChanged === true) tellListChanged(lines, feature);
  }
}

/** `feature` is `tools`, `prompts` or `resources`. */
export function tellListChanged(lines: Iterable<AttachedLine>, feature: string): void {
  const method = `notifications/${feature}/list_changed`;
  const message = readMessage(Buffer.from(JSON.stringify({ jsonrpc: '2.0', method })));
  for (const { caller } of lines) caller.hear(message, undefined);
}

/** A question of the server: asked only where it is certain who is meant, and that the client can answer it. */
export function routeRequest(asked: Attribution, message: Message): void {
  const { worker, sharing } = asked;
  const { bytes, id } = message;
  if (!id) return;
  const idText = textOf(bytes, id);
  // Roots are the client's own, and a server may keep them for the next call, which may be another's.
  const isShareable = sharing === 'exclusive' || message.method !== methods.listRoots;
  const target = isShareable ? addresseeOf(asked, message) : undefined;
  const question =
    target &&
    ask(target, message, (response) => {
      worker.talk.questions.delete(idText);
      worker.send(response);
    });
  if (!question) {
    refuse(worker, message);
    return;
  }
  const { call, line } = target;
  const tokenText = message.metaToken && textOf(bytes, message.metaToken);
  worker.talk.questions.set(idText, { call, line, tokenText, withdraw: () => question.withdraw() });
  if (message.method === methods.elicit) worker.talk.sentToPage(paramsOf(message), target.line);
}

function ask(
  { line, call }: Addressee,
  message: Message,
  answer: (response: readonly Buffer[]) => void,
): Question | undefined {
  const { method } = message;
  const params = paramsOf(message);
  const { capabilities } = call?.visitor ?? line.caller;
  if (canAnswer(capabilities, method, params)) {
    return call?.visitor ? call.visitor.ask(message, answer) : line.caller.ask(message, call, answer);
  }
  const requiredCapabilities = neededCapability(method, params);
  if (call?.visitor && requiredCapabilities) {
    const words = `The server needs a client that declares ${Object.keys(requiredCapabilities).join(', ')}`;
    const executed = 'unknown';
    call.cancellation.cancel(
      new ProxyError('MISSING_CAPABILITY', words, { details: { requiredCapabilities }, executed }),
    );
  }
  return undefined;
}

/** The server does not want to know any more what it asked. */
function withdraw(worker: Worker, { bytes, requestId }: Message): void {
  if (!requestId) return;
  const idText = textOf(bytes, requestId);
  worker.talk.questions.get(idText)?.withdraw();
  worker.talk.questions.delete(idText);
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
