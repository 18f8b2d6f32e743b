import { ToolFailure } from '../../kit/failure.ts';
import { tryParseJson } from '../../kit/json.ts';
import { type Complaint, complaintsIn, hasFailedEntry, isObject } from './complaints.ts';

export type Body = Readonly<Record<string, unknown>>;

/** What the API said, read by its body: its HTTP statuses do not always mean what they say. */
export type ApiAnswer =
  | { readonly kind: 'ok'; readonly body: Body }
  /** The access token was not taken; nothing was done. */
  | { readonly kind: 'token' }
  /** The token is good and does not hold what this needs. */
  | { readonly kind: 'scope' }
  | { readonly kind: 'failed'; readonly failure: ToolFailure };

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
  readonly retryAfterSeconds: number | undefined;
  readonly isWrite: boolean;
}

const throttledText = /URL blocked as maximum access limit exceeded/i;
/** Limits are not published; a minute is what throttled callers report. */
const defaultRetrySeconds = 60;

export function readAnswer(raw: RawAnswer): ApiAnswer {
  const parsed = tryParseJson(raw.text);
  const body = isObject(parsed) ? parsed : undefined;
  const complaints = body ? complaintsIn(body) : [];
  if (isThrottled(raw, body, complaints)) return failed(throttled(raw));
  // An unknown address answers 401 in HTML: another token would not help there, and costs one of ten.
  if (!body) return failed(noJson(raw));
  if (isScopeMismatch(body, complaints)) return { kind: 'scope' };
  if (raw.status === 401 || has(complaints, 4022)) return { kind: 'token' };
  return isFine(raw, body) ? { kind: 'ok', body } : failed(refusal(raw, complaints));
}

const isFine = ({ status }: RawAnswer, body: Body) => status >= 200 && status < 300 && !hasFailedEntry(body);

const has = (complaints: readonly Complaint[], code: number) =>
  complaints.some((complaint) => complaint.code === code);

/** The words alone would also be found in a record that somebody wrote them into. */
function isThrottled(
  { status, text }: RawAnswer,
  body: Body | undefined,
  complaints: readonly Complaint[],
): boolean {
  const isRecord = body !== undefined && status < 400;
  return status === 429 || has(complaints, 4015) || (!isRecord && throttledText.test(text));
}

const failed = (failure: ToolFailure): ApiAnswer => ({ kind: 'failed', failure });

/** Zoho's services say it in `code`; it has been seen in a message too. */
function isScopeMismatch(body: Body, complaints: readonly Complaint[]): boolean {
  const word = 'OAUTH_SCOPE_MISMATCH';
  return body['code'] === word || complaints.some(({ text }) => text.includes(word));
}

function throttled({ status, retryAfterSeconds }: RawAnswer): ToolFailure {
  return new ToolFailure('RATE_LIMITED', 'ServiceDesk Plus takes no more requests for now', {
    retryable: true,
    retryAfterSeconds: retryAfterSeconds ?? defaultRetrySeconds,
    status,
    hint: 'Wait, then ask for fewer pages at once',
  });
}

function noJson({ status, text, isWrite, retryAfterSeconds }: RawAnswer): ToolFailure {
  if (status >= 500) {
    return new ToolFailure('UNAVAILABLE', `ServiceDesk Plus is failing (HTTP ${status})`, {
      status,
      retryable: true,
      retryAfterSeconds,
      executed: isWrite ? 'unknown' : 'no',
    });
  }
  const what = /<html|<!doctype/i.test(text) ? 'a web page' : 'something that is no JSON object';
  return new ToolFailure('BAD_REPLY', `ServiceDesk Plus answered with ${what} (HTTP ${status})`, {
    status,
    // With 2xx something may have been done behind the page.
    executed: isWrite && status < 300 ? 'unknown' : 'no',
    hint: 'Check SDP_BASE_URL, SDP_INSTANCE_NAME and SDP_DATA_CENTER: an address or a portal that does not exist answers like this',
  });
}

/** By the vendor's own code where there is one, else by the status. */
function refusal(raw: RawAnswer, complaints: readonly Complaint[]): ToolFailure {
  const { status, isWrite, retryAfterSeconds } = raw;
  const code = complaints[0]?.code;
  const said = complaints.map(({ text }) => text).join('; ');
  const message = said === '' ? `ServiceDesk Plus refused (HTTP ${status})` : said;
  const details = { status, ...(code !== undefined && { vendorCode: String(code) }) };
  if (code === 4004 || status >= 500) {
    const executed = isWrite ? 'unknown' : 'no';
    return new ToolFailure('UNAVAILABLE', message, {
      ...details,
      retryable: true,
      retryAfterSeconds,
      executed,
    });
  }
  return new ToolFailure(failureCode(status, code), message, { ...details, hint: hintOf(status, code) });
}

function failureCode(status: number, code: number | undefined) {
  if (code === 4002 || status === 403) return 'FORBIDDEN';
  return code === 4007 || status === 404 ? 'NOT_FOUND' : 'REJECTED';
}

const hints: Readonly<Record<number, string>> = {
  403: 'The technician behind the refresh token may not do this, or the portal sets this value by itself',
  404: 'Give the long id, not the number people see; get_request finds a request by displayId',
  4001: 'Look at the named field: the value, the name or the id does not exist in this portal',
  4002: 'The technician behind the refresh token may not do this, or the portal sets this value by itself',
  4007: 'This portal has no such address: the module may not be part of its edition',
  4012: 'This portal demands these fields; give them and try again',
};

const hintOf = (status: number, code: number | undefined) =>
  (code === undefined ? undefined : hints[code]) ?? hints[status];

/** Was this address unknown to the portal, so that nothing can have been done? Some unknown addresses answer with a web page. */
export function isNoAddress(thrown: unknown): boolean {
  if (!(thrown instanceof ToolFailure)) return false;
  const { code, status = 0 } = thrown;
  return code === 'NOT_FOUND' || (code === 'BAD_REPLY' && [400, 401, 404].includes(status));
}
