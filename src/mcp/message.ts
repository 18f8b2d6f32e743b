import { type Member, readMember } from './members.ts';
import { metaKeys } from './meta-keys.ts';
import { ScanError, Scanner, type Span } from './scanner.ts';

/**
 * One JSON-RPC message as it came: its bytes, and where in them the parts stand that a multiplexer exchanges.
 * Nothing is re-serialised, so unknown members, big integers and the spelling of numbers survive.
 */
export interface Message {
  /** One JSON object without a line break. */
  readonly bytes: Buffer;
  readonly kind: 'request' | 'notification' | 'response';
  /** Empty for a response. */
  readonly method: string;
  readonly id: Span | undefined;
  /** `params._meta.progressToken`: asks for progress. */
  readonly metaToken: Span | undefined;
  /** `params.progressToken`: reports progress. */
  readonly token: Span | undefined;
  /** `params.requestId`: what a cancellation cancels. */
  readonly requestId: Span | undefined;
  /** `params._meta`, if it is an object. */
  readonly meta: Span | undefined;
  /** `params._meta["io.modelcontextprotocol/protocolVersion"]`: the message claims to be of the modern era. */
  readonly claim: Span | undefined;
  /** `params.requestState`: takes up again what came to `input_required`. */
  readonly state: Span | undefined;
  /** `params.name`: which tool or prompt. */
  readonly name: Span | undefined;
  /** `params.uri`: which resource. */
  readonly uri: Span | undefined;
  readonly params: Span | undefined;
  readonly result: Span | undefined;
  /** What stands in `result`, if that is an object; of very many members the first. */
  readonly resultMembers: readonly Member[];
  readonly error: Span | undefined;
}

/** What is wrong with a message, for a JSON-RPC error answer: -32700 or -32600. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
  readonly code: 'PARSE_ERROR' | 'INVALID_REQUEST';

  constructor(code: MalformedMessage['code'], message: string) {
    super(message);
    this.code = code;
  }
}

type Draft = { -readonly [Key in keyof Omit<Message, 'kind' | 'bytes' | 'resultMembers'>]: Message[Key] } & {
  jsonrpc: Span | undefined;
  methodSpan: Span | undefined;
  resultMembers: Member[];
};

const topKeys = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);

/**
 * Read one message. `maxDepth` bounds nesting.
 * @throws {MalformedMessage} PARSE_ERROR if it is not JSON, INVALID_REQUEST if it is not JSON-RPC 2.0 as MCP has it
 * (a batch is not a message: see `splitBatch`).
 */
export function readMessage(bytes: Buffer, maxDepth = 64): Message {
  try {
    const scanner = new Scanner(bytes, maxDepth);
    if (scanner.peek() !== 0x7b) refuseOtherJson(scanner);
    const draft = readTop(scanner);
    scanner.finish();
    return classify(scanner.broken ? onOneLine(bytes) : bytes, draft);
  } catch (thrown) {
    if (!(thrown instanceof ScanError)) throw thrown;
    throw new MalformedMessage(
      thrown.kind === 'too_deep' ? 'INVALID_REQUEST' : 'PARSE_ERROR',
      thrown.message,
    );
  }
}

/** A number or a list is JSON and no message; anything else is not even JSON. */
function refuseOtherJson(scanner: Scanner): never {
  scanner.skip();
  scanner.finish();
  throw new MalformedMessage('INVALID_REQUEST', 'A message is a JSON object');
}

function readTop(scanner: Scanner): Draft {
  const draft: Draft = {
    method: '',
    id: undefined,
    metaToken: undefined,
    token: undefined,
    requestId: undefined,
    meta: undefined,
    claim: undefined,
    state: undefined,
    name: undefined,
    uri: undefined,
    params: undefined,
    result: undefined,
    resultMembers: [],
    error: undefined,
    jsonrpc: undefined,
    methodSpan: undefined,
  };
  scanner.members((key) => {
    if (!topKeys.has(key)) return scanner.skip();
    const slot = key === 'method' ? 'methodSpan' : (key as 'jsonrpc' | 'id' | 'params' | 'result' | 'error');
    if (draft[slot]) scanner.fail(`"${key}" stands twice`, 'duplicate');
    draft[slot] = readPart(scanner, draft, key);
  });
  return draft;
}

function readPart(scanner: Scanner, draft: Draft, key: string): Span {
  const isObject = scanner.peek() === 0x7b;
  if (isObject && key === 'params') return readParams(scanner, draft);
  if (isObject && key === 'result') return readResult(scanner, draft);
  return scanner.value();
}

/** No MCP result has more; a hostile server's would otherwise take many times its own size. */
const maxResultMembers = 256;

/** Noted in passing, so that a result of many megabytes is not walked through again to change a member of it. */
function readResult(scanner: Scanner, draft: Draft): Span {
  const start = scanner.pos;
  scanner.members((key, at) => {
    if (draft.resultMembers.length >= maxResultMembers) return scanner.skip();
    draft.resultMembers.push(readMember(scanner, key, at));
  });
  return { start, end: scanner.pos };
}

/** Readers differ in which of two equal keys they believe, so two of those we act upon are refused. */
function readParams(scanner: Scanner, draft: Draft): Span {
  const start = scanner.pos;
  const seen = createSeen();
  scanner.members((key) => {
    if (seen(key)) scanner.fail('A member of "params" stands twice', 'duplicate');
    if (key === 'progressToken') draft.token = scanner.value();
    else if (key === 'requestId') draft.requestId = scanner.value();
    else if (key === 'requestState') draft.state = scanner.value();
    else if (key === 'name') draft.name = scanner.value();
    else if (key === 'uri') draft.uri = scanner.value();
    else if (key === '_meta' && scanner.peek() === 0x7b) draft.meta = readMeta(scanner, draft);
    else scanner.skip();
  });
  return { start, end: scanner.pos };
}

/** Up to this many keys are looked through one by one, which is cheaper than a set; beyond, a client could make it dear. */
const fewKeys = 16;

/** Was this key there before? */
function createSeen(): (key: string) => boolean {
  const few: string[] = [];
  let many: Set<string> | undefined;
  return (key) => {
    if (few.includes(key) || many?.has(key)) return true;
    if (few.length < fewKeys) few.push(key);
    else (many ??= new Set()).add(key);
    return false;
  };
}

function readMeta(scanner: Scanner, draft: Draft): Span {
  const start = scanner.pos;
  scanner.members((key) => {
    const slot = key === 'progressToken' ? 'metaToken' : key === metaKeys.version ? 'claim' : undefined;
    if (!slot) return scanner.skip();
    if (draft[slot]) scanner.fail(`"${key}" stands twice`, 'duplicate');
    draft[slot] = scanner.value();
  });
  return { start, end: scanner.pos };
}

function classify(bytes: Buffer, draft: Draft): Message {
  const { methodSpan, jsonrpc, id, result, error } = draft;
  if (!jsonrpc || textOf(bytes, jsonrpc) !== '"2.0"') throw invalid('"jsonrpc" must be "2.0"');
  const method = methodSpan ? readString(bytes, methodSpan, 'method') : '';
  if (id) checkId(bytes, id, methodSpan === undefined);
  const { metaToken, token, requestId, meta, claim, state, name, uri, params, resultMembers } = draft;
  const kind = methodSpan ? (id ? 'request' : 'notification') : 'response';
  if (kind === 'response' && (!id || (result === undefined) === (error === undefined))) {
    throw invalid('A message has a "method", or an "id" and either "result" or "error"');
  }
  return {
    bytes,
    kind,
    method,
    id,
    metaToken,
    token,
    requestId,
    meta,
    claim,
    state,
    name,
    uri,
    params,
    result,
    resultMembers,
    error,
  };
}

function checkId(bytes: Buffer, id: Span, isResponse: boolean): void {
  const first = bytes[id.start] ?? 0;
  const isStringOrNumber = first === 0x22 || first === 0x2d || (first ^ 0x30) < 10;
  const isNull = first === 0x6e;
  if (!isStringOrNumber && !(isNull && isResponse)) throw invalid('"id" must be a string or a number');
}

function readString(bytes: Buffer, span: Span, name: string): string {
  if (bytes[span.start] !== 0x22) throw invalid(`"${name}" must be a string`);
  return decoded(bytes, span);
}

function decoded(bytes: Buffer, span: Span): string {
  const raw = bytes.toString('utf8', span.start, span.end);
  return raw.includes('\\') ? String(JSON.parse(raw)) : raw.slice(1, -1);
}

const invalid = (message: string) => new MalformedMessage('INVALID_REQUEST', message);

/** In sound JSON a raw line break can only be white space, so a blank says the same. */
function onOneLine(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (let index = 0; index < copy.length; index++) {
    if (copy[index] === 0x0a || copy[index] === 0x0d) copy[index] = 0x20;
  }
  return copy;
}

/** The bytes of a part, one character per byte: equal exactly if the bytes are equal, type included. */
export function textOf(bytes: Buffer, span: Span): string {
  return bytes.toString('latin1', span.start, span.end);
}

/** A part as a value. Only for parts the proxy acts upon; what it passes on stays bytes. */
export function valueOf(message: Message, span: Span | undefined): unknown {
  return span && JSON.parse(message.bytes.toString('utf8', span.start, span.end));
}

/** A part as text; undefined if it is none. */
export function stringOf({ bytes }: Message, span: Span | undefined): string | undefined {
  return span && bytes[span.start] === 0x22 ? decoded(bytes, span) : undefined;
}

/** `params` as a record; empty if there are none. */
export function paramsOf(message: Message): Readonly<Record<string, unknown>> {
  const params = valueOf(message, message.params);
  return typeof params === 'object' && params !== null ? (params as Record<string, unknown>) : {};
}

/**
 * The messages of a JSON-RPC batch (2025-03-26 only), or undefined if the bytes are not an array.
 * @throws {MalformedMessage} if the array is not sound, empty, or longer than `max`.
 */
export function splitBatch(bytes: Buffer, max = 100, maxDepth = 64): Buffer[] | undefined {
  const scanner = new Scanner(bytes, maxDepth);
  if (scanner.peek() !== 0x5b) return undefined;
  const parts: Buffer[] = [];
  try {
    scanner.elements(() => {
      const { start, end } = scanner.value();
      parts.push(bytes.subarray(start, end));
    });
    scanner.finish();
  } catch (thrown) {
    if (thrown instanceof ScanError) throw new MalformedMessage('PARSE_ERROR', thrown.message);
    throw thrown;
  }
  if (parts.length === 0 || parts.length > max) throw invalid(`A batch holds 1 to ${max} messages`);
  return parts;
}
