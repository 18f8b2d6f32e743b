import type { Clock } from '../kit/clock.ts';
import { ToolFailure } from '../kit/failure.ts';
import type { HttpAnswer } from '../kit/http-client.ts';
import { tryParseJson } from '../kit/json.ts';
import { retryAfterSeconds } from '../kit/retry.ts';
import { isObject } from '../kit/rpc.ts';

/**
 * What an answer of Autotask means. Its documentation declares 200, 401 and 403 only; what else comes was measured by
 * others: refused content is a 500 with `errors`, an unknown path a 404, a wrong secret or zone a 401 without a body.
 */
export function readAnswer(answer: HttpAnswer, isWrite: boolean, clock: Clock): Record<string, unknown> {
  const { status, text } = answer;
  const body = tryParseJson(text);
  const errors = errorsIn(body);
  if (status >= 200 && status < 300) {
    if (errors.length > 0) throw rejected(status, errors);
    if (isObject(body)) return body;
    throw new ToolFailure('BAD_REPLY', 'The answer of Autotask is not JSON', {
      status,
      executed: isWrite ? 'unknown' : 'no',
      retryable: !isWrite,
    });
  }
  throw failureOf(answer, errors, isWrite, clock);
}

function failureOf(
  answer: HttpAnswer,
  errors: readonly string[],
  isWrite: boolean,
  clock: Clock,
): ToolFailure {
  const { status, text } = answer;
  const said = errors.join(' ');
  if (status === 429 || limits.test(said || text.slice(0, 500))) return limited(answer, said || text, clock);
  if (status === 401 || wrongCredentials.test(said)) return unauthenticated(status, said);
  if (status === 403) return forbidden(status, errors);
  if (status === 404)
    return new ToolFailure('NOT_FOUND', `Autotask has no such record${quoted(errors)}`, { status });
  return status < 500 ? rejected(status, errors) : serverError(status, errors, isWrite);
}

/** With words it is Autotask's way to refuse what was sent; without, it is trouble. */
function serverError(status: number, errors: readonly string[], isWrite: boolean): ToolFailure {
  return errors.length > 0 ? rejected(status, errors) : broken(status, isWrite);
}

/** Without a word of why: something before the API failed, and whether the API was reached nobody knows. */
function broken(status: number, isWrite: boolean): ToolFailure {
  return new ToolFailure('UNAVAILABLE', `Autotask answered with status ${status}`, {
    status,
    retryable: true,
    executed: isWrite ? 'unknown' : 'no',
    hint: isWrite ? 'Look whether it was written before asking again' : 'Ask again a little later',
  });
}

const limits = /Itgenatr005|thread threshold|threshold of \d+ (threads|requests)|request threshold/i;
const threadLimit = /Itgenatr005|thread/i;
const wrongCredentials =
  /IntegrationCode is invalid|integration code|(username|user name|api user|secret|credentials?)\b.{0,40}\b(invalid|incorrect|not valid|locked|inactive)/i;

/** Both limits refuse before anything is done, so that even a write may be made again. */
function limited({ status, headers }: HttpAnswer, said: string, clock: Clock): ToolFailure {
  const named = retryAfterSeconds(headers, clock);
  const isThreads = threadLimit.test(said);
  const vendorCode = /Itgenatr\d+/.exec(said)?.[0];
  const message = isThreads
    ? 'Autotask allows three requests at once to one kind of record, over all integrations with this code'
    : 'The hourly limit of requests of this Autotask database is used up, over all its integrations';
  return new ToolFailure('RATE_LIMITED', message, {
    status,
    vendorCode,
    retryable: true,
    // Threads are free again in a moment; for the hour nobody says when, so come back in a minute.
    retryAfterSeconds: named ?? (isThreads ? undefined : 60),
    hint: isThreads
      ? 'Keep one process per account (pool.max: 1), or lower AUTOTASK_THREADS'
      : 'See get_api_usage',
  });
}

function unauthenticated(status: number, said: string): ToolFailure {
  const quote = said === '' ? '' : `: ${said}`;
  return new ToolFailure(
    'UNAUTHENTICATED',
    `Autotask refuses the credentials, or they are for another zone${quote}`,
    {
      status,
      hint: 'Check user name, secret and integration code, that the API user is active, and the zone',
    },
  );
}

function forbidden(status: number, errors: readonly string[]): ToolFailure {
  return new ToolFailure('FORBIDDEN', `The API user may not do this${quoted(errors)}`, {
    status,
    hint: "The API user's security level in Autotask (Admin, API User Security) decides what it may do",
  });
}

function rejected(status: number, errors: readonly string[]): ToolFailure {
  const said = errors.join(' ') || `status ${status}`;
  return new ToolFailure('REJECTED', `Autotask refused: ${said}`, {
    status,
    hint: 'get_field_info says which fields and values this account has',
  });
}

const quoted = (errors: readonly string[]): string => (errors.length > 0 ? `: ${errors.join(' ')}` : '');

function errorsIn(body: unknown): readonly string[] {
  if (!isObject(body) || !Array.isArray(body['errors'])) return [];
  return body['errors']
    .map((each: unknown) => (typeof each === 'string' ? each : JSON.stringify(each)))
    .slice(0, 20)
    .map((each) => each.slice(0, 1_000));
}
