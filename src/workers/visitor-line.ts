import { errorCodeOf } from '../bridge/error-code.ts';
import type { AnswerFor, Parking } from '../bridge/parking.ts';
import { canAnswer, canBeAsked, neededCapability, readInputRequired } from '../bridge/questions.ts';
import type { SealedState, StateSeal } from '../bridge/request-state.ts';
import { ownerOf, readRetry } from '../bridge/retry.ts';
import { modernEdits } from '../bridge/to-modern.ts';
import { urlQuestions } from '../bridge/url-questions.ts';
import type { Call, Reply } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import { envelopeOff } from '../mcp/envelope.ts';
import { byteText, memberOf } from '../mcp/members.ts';
import {
  invalidParams,
  isPromised,
  methodNotFound,
  methods,
  urlElicitationRequired,
} from '../mcp/methods.ts';
import type { Message } from '../mcp/message.ts';
import { answerOf } from '../mcp/multiplexer.ts';
import { idTextOf, ownAnswer } from '../mcp/own-answer.ts';
import type { Edit } from '../mcp/splice.ts';
import type { Line, Speaker, Speech } from './line.ts';
import type { Worker } from './worker.ts';

export interface VisitorLineParts {
  readonly line: Line;
  readonly parking: Parking;
  readonly seal: StateSeal;
  readonly workerOf: (serial: number) => Worker | undefined;
}

/** The way of callers without a session, of the modern era, to a server of either: one for each key and kind of client. */
export class VisitorLine {
  readonly line: Line;
  readonly #parts: VisitorLineParts;

  constructor(parts: VisitorLineParts) {
    this.line = parts.line;
    this.#parts = parts;
  }

  /** A client that comes back to what is no more, or never was its own, gets -32602. */
  async exchange(call: Call): Promise<Reply> {
    const retry = readRetry(call.message);
    if (!retry) return this.#fresh(call);
    const { state, responses } = retry;
    if (!responses) return refused(call, '`inputResponses` must be an object, and so must each of them');
    const { seal, parking, workerOf } = this.#parts;
    const known = state === undefined ? undefined : seal.open(ownerOf(call), state);
    if (!known) return gone(call);
    if (known.park === undefined) return this.#put(call, known, workerOf(known.worker ?? 0));
    return parking.resume(known.park, call, responses) ?? gone(call);
  }

  #fresh(call: Call): Promise<Reply> {
    const { line } = this;
    const mayBeAsked = isAskable(line) && line.kind.era === 'legacy';
    if (!mayBeAsked || !isInterruptible(call.message.method)) return this.#put(call, {}, undefined);
    return this.#parts.parking.begin(call, ownerOf(call), (inner) =>
      line.put<AnswerFor>(inner, (worker) => {
        const { edits, read } = this.#speech(worker, inner, {});
        return { edits, read: (response) => (idText) => read(response, idText) };
      }),
    );
  }

  #put(call: Call, known: SealedState, preferred: Worker | undefined): Promise<Reply> {
    return this.line.put(call, (worker) => this.#speech(worker, call, known), preferred);
  }

  #speech(worker: Speaker, call: Call, known: SealedState): Speech<Reply> {
    const { message } = call;
    const told = { method: message.method, worker };
    if (worker.kind.era === 'legacy') {
      const identity = worker.facts?.identity ?? '{}';
      return {
        edits: envelopeOff(message),
        read: (response, idText) =>
          urlQuestionsOf(call, response, idText) ??
          replyOf(
            told,
            answerOf(response, idText, modernEdits(response, message.method, identity)),
            response,
          ),
      };
    }
    const { state } = known;
    const edits =
      message.state && state !== undefined ? [{ span: message.state, text: byteText(state) }] : [];
    return {
      edits,
      read: (response, idText) =>
        replyOf(told, answerOf(response, idText, this.#sealed(worker, call, response)), response),
    };
  }

  /** A modern server's own state comes back to the process that gave it, and from nobody else. */
  #sealed(worker: Speaker, call: Call, response: Message): readonly Edit[] {
    const scope = memberOf(response.resultMembers, 'cacheScope');
    // One URL serves many tenants, so nothing may be kept for everybody who uses it.
    const edits = scope ? [{ span: scope, text: '"private"' }] : [];
    if (!readInputRequired(response)?.state) return edits;
    const span = memberOf(response.resultMembers, 'requestState');
    if (!span) return edits;
    const state = response.bytes.toString('utf8', span.start, span.end);
    const sealed = this.#parts.seal.seal(ownerOf(call), { worker: worker.serial, state });
    return [...edits, { span, text: `"${sealed}"` }];
  }
}

/** A worker of its own was told all that the client declares, roots too; another only what it may share with others. */
const isAskable = ({ isExclusive, declared, caller }: Line) =>
  isExclusive ? canBeAsked(caller.capabilities) : declared.asks;

/** Only these may come to `input_required` (2026-07-28 basic/patterns/mrtr, "Supported Requests"). */
const isInterruptible = (method: string) =>
  method === methods.callTool || method === methods.getPrompt || method === methods.readResource;

interface Told {
  readonly method: string;
  readonly worker: Speaker;
}

/**
 * FastMCP and others say -32601 of a tool, prompt or resource that they do not know. The method they know, so it is an
 * answer like any other and no 404 (2026-07-28 basic/transports/streamable-http, "Sending Messages").
 */
function replyOf({ method, worker }: Told, parts: Reply['parts'], response: Message): Reply {
  if (!response.error) return { parts, isError: false };
  const errorCode = errorCodeOf(response);
  const isInBand =
    errorCode === methodNotFound && isPromised(method, worker.facts?.discover.capabilities ?? {});
  return isInBand ? { parts, isError: true } : { parts, isError: true, errorCode };
}

/** A server of 2025-11-25 that wants a page opened first says so with an error, a modern one with a question. */
function urlQuestionsOf(call: Call, response: Message, idText: string): Reply | undefined {
  if (!response.error || errorCodeOf(response) !== urlElicitationRequired) return undefined;
  const params = { mode: 'url' };
  if (!canAnswer(call.visitor?.capabilities ?? {}, methods.elicit, params)) {
    const requiredCapabilities = neededCapability(methods.elicit, params) ?? {};
    throw new ProxyError('MISSING_CAPABILITY', 'The server needs a client that can open a page', {
      details: { requiredCapabilities },
      executed: 'unknown',
    });
  }
  const questions = urlQuestions(response, idText);
  return questions && { parts: [questions], isError: false };
}

const gone = (call: Call) =>
  refused(call, 'This requestState is not valid here, or not any more; make the call anew');

function refused({ message }: Call, text: string): Reply {
  const error = { code: invalidParams, message: text };
  return { parts: [ownAnswer(idTextOf(message), 'error', error)], isError: true, errorCode: invalidParams };
}
