import { randomUUID } from 'node:crypto';
import { methods } from '../mcp/methods.ts';
import { type Message, readMessage, textOf, valueOf } from '../mcp/message.ts';
import { changeMembers, memberOf, membersOf } from '../mcp/members.ts';
import { splice } from '../mcp/splice.ts';

/** What a server may ask of a client, in either era. */
export function isQuestion(method: string): boolean {
  return method === methods.elicit || method === methods.sample || method === methods.listRoots;
}

/** May a client that declares this be asked anything at all? */
export function canBeAsked(capabilities: Readonly<Record<string, unknown>>): boolean {
  return ['sampling', 'elicitation', 'roots'].some((name) => isRecord(capabilities[name]));
}

/**
 * May this client be asked that? A bare `elicitation: {}` means forms (2025-11-25 client/elicitation); what a question
 * needs beyond that has a capability of its own.
 */
export function canAnswer(
  capabilities: Readonly<Record<string, unknown>>,
  method: string,
  params: Readonly<Record<string, unknown>>,
): boolean {
  const needed = neededCapability(method, params);
  return needed !== undefined && covers(capabilities, needed);
}

/** What a client must declare to be asked that, as `ClientCapabilities`; undefined if it is no question at all. */
export function neededCapability(
  method: string,
  params: Readonly<Record<string, unknown>>,
): Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined {
  if (method === methods.listRoots) return { roots: {} };
  if (method === methods.elicit)
    return { elicitation: params['mode'] === 'url' ? { url: {} } : { form: {} } };
  if (method !== methods.sample) return undefined;
  const { tools, toolChoice } = params;
  return { sampling: tools === undefined && toolChoice === undefined ? {} : { tools: {} } };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function covers(
  declared: Readonly<Record<string, unknown>>,
  needed: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): boolean {
  return Object.entries(needed).every(([name, parts]) => {
    const own = Object.hasOwn(declared, name) ? declared[name] : undefined;
    if (!isRecord(own)) return false;
    const isBare = name === 'elicitation' && own['url'] === undefined;
    return Object.keys(parts).every((part) => own[part] !== undefined || (isBare && part === 'form'));
  });
}

/** The outcome of a question: the client's result, or its error, as JSON text with one character per byte. */
export type Outcome = { readonly result: string } | { readonly error: string };

/** What a response holds. */
export function outcomeOf({ bytes, result, error }: Message): Outcome {
  if (result) return { result: textOf(bytes, result) };
  return { error: error ? textOf(bytes, error) : '{"code":-32603,"message":"no answer"}' };
}

/** One question in a result that came to `input_required`. */
export interface InputRequest {
  readonly key: string;
  readonly method: string;
  /** JSON text of its `params`, one character per byte; undefined if there are none. */
  readonly params: string | undefined;
}

/** What a modern server wants to know before it goes on (2026-07-28 basic/patterns/mrtr). */
export interface InputRequired {
  readonly questions: readonly InputRequest[];
  /** JSON text of its `requestState`. */
  readonly state: string | undefined;
}

/** Reads a result; undefined if it is complete. */
export function readInputRequired({ bytes, resultMembers }: Message): InputRequired | undefined {
  const type = memberOf(resultMembers, 'resultType');
  if (!type || textOf(bytes, type) !== '"input_required"') return undefined;
  const requests = memberOf(resultMembers, 'inputRequests');
  const state = memberOf(resultMembers, 'requestState');
  const questions = (requests ? membersOf(bytes, requests) : []).map(({ key, value }) => {
    const members = membersOf(bytes, value);
    const method = memberOf(members, 'method');
    const params = memberOf(members, 'params');
    return {
      key,
      method: method ? String(JSON.parse(bytes.toString('utf8', method.start, method.end))) : '',
      params: params && textOf(bytes, params),
    };
  });
  return { questions, state: state && textOf(bytes, state) };
}

/** A question as a legacy client is asked it: a request of the server's own. Undefined if it is no question at all. */
export function questionMessage({ method, params }: InputRequest): Message | undefined {
  if (!isQuestion(method)) return undefined;
  const rest = params === undefined ? '' : `,"params":${params}`;
  const text = `{"jsonrpc":"2.0","id":0,"method":${JSON.stringify(method)}${rest}}`;
  const message = readMessage(Buffer.from(text, 'latin1'), 256);
  const { mode, elicitationId } = questionParams(message);
  if (mode !== 'url' || elicitationId !== undefined || !message.params) return message;
  // 2025-11-25 wants an id to tell the client by that the page was done with; 2026-07-28 has none.
  const { bytes, params: span } = message;
  const edits = changeMembers(span, membersOf(bytes, span), () => false, `"elicitationId":"${randomUUID()}"`);
  return readMessage(Buffer.concat(splice(bytes, edits)), 256);
}

/** `params` of a question as a record. */
export function questionParams(message: Message): Readonly<Record<string, unknown>> {
  const params = valueOf(message, message.params);
  return isRecord(params) ? params : {};
}
