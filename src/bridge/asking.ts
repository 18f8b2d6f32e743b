import type { Call, Question, Reply } from '../calls/call.ts';
import type { Caller } from '../calls/upstream.ts';
import { internalError } from '../mcp/methods.ts';
import { type Message, readMessage, valueOf } from '../mcp/message.ts';
import { idTextOf, ownAnswer } from '../mcp/own-answer.ts';
import { byteText } from '../mcp/members.ts';
import { canAnswer, type InputRequest, type InputRequired, type Outcome } from './questions.ts';
import { outcomeOf, questionMessage, questionParams } from './questions.ts';

/** A server that asks more often than this for one call will not come to an end. */
const maxRounds = 8;

/** Sends a call, with what else is to stand in its `params`; comes back with an answer, or with what the server wants to know. */
export type Round = (further: string) => Promise<Reply | InputRequired>;

/**
 * A legacy client calls a modern server: what the server wants to know becomes requests to the client, on the call's
 * own stream, and the call is made again with the answers (2026-07-28 basic/patterns/mrtr).
 */
export async function askAlong(
  caller: Caller,
  call: Call,
  first: InputRequired,
  round: Round,
): Promise<Reply> {
  let answer: Reply | InputRequired = first;
  for (let rounds = 0; rounds < maxRounds; rounds++) {
    if (!('questions' in answer)) return answer;
    const { questions }: InputRequired = answer;
    const outcomes = await askAll(caller, call, questions);
    const failed = outcomes.find((outcome) => 'error' in outcome);
    if (failed) return refused(call, failed.error);
    answer = await round(furtherParams(answer, outcomes));
  }
  return 'questions' in answer ? failedReply(call, endless) : answer;
}

const endless = `The server asked more than ${maxRounds} times and came to no end`;

/** JSON text for `params`: what was answered, and the server's own state as it came. */
function furtherParams({ questions, state }: InputRequired, outcomes: readonly Outcome[]): string {
  const responses = questions.map(({ key }, index) => {
    const outcome = outcomes[index];
    return `${JSON.stringify(key)}:${utf8(outcome && 'result' in outcome ? outcome.result : 'null')}`;
  });
  const own = state === undefined ? '' : `,"requestState":${utf8(state)}`;
  return `"inputResponses":{${responses.join(',')}}${own}`;
}

const utf8 = (text: string) => Buffer.from(text, 'latin1').toString();

/** All at once. Rejects with the reason of the call's cancellation; what is not answered by then is taken back. */
function askAll(caller: Caller, call: Call, questions: readonly InputRequest[]): Promise<readonly Outcome[]> {
  const open = new Set<Question>();
  return new Promise((resolve, reject) => {
    // A call has one who listens for its end, so it is one for all questions.
    call.cancellation.listen((reason) => {
      for (const question of open) question.withdraw();
      reject(reason);
    });
    if (call.cancellation.reason) return;
    Promise.all(questions.map((question) => ask({ caller, call, open }, question))).then(resolve, reject);
  });
}

interface Asking {
  readonly caller: Caller;
  readonly call: Call;
  /** Questions that the client has not answered. */
  readonly open: Set<Question>;
}

function ask({ caller, call, open }: Asking, question: InputRequest): Promise<Outcome> {
  const message = questionMessage(question);
  if (!message || !canAnswer(caller.capabilities, question.method, questionParams(message))) {
    return Promise.resolve(noOutcome('The server asked for what this client has not declared'));
  }
  return new Promise((resolve) => {
    const asked = caller.ask(message, call, (response) => {
      if (asked) open.delete(asked);
      resolve(outcomeOf(readMessage(Buffer.concat(response), 256)));
    });
    if (asked) open.add(asked);
    else resolve(noOutcome('Too many questions wait for an answer of this client'));
  });
}

const noOutcome = (message: string): Outcome => ({
  error: byteText({ code: internalError, message }),
});

/** The client did not answer the server's question: the call ends with the error that the client gave. */
function refused(call: Call, error: string): Reply {
  const text = `{"jsonrpc":"2.0","id":0,"error":${error}}`;
  const message: Message = readMessage(Buffer.from(text, 'latin1'), 256);
  const value = valueOf(message, message.error);
  return { parts: [ownAnswer(idTextOf(call.message), 'error', value)], isError: true };
}

function failedReply(call: Call, message: string): Reply {
  const error = { code: internalError, message };
  return { parts: [ownAnswer(idTextOf(call.message), 'error', error)], isError: true };
}
