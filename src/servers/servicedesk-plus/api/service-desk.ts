import type { Clock } from '../../kit/clock.ts';
import { ToolFailure } from '../../kit/failure.ts';
import type { HttpAnswer, HttpClient } from '../../kit/http-client.ts';
import type { Logger } from '../../kit/logger.ts';
import { retryAfterSeconds, withRetry } from '../../kit/retry.ts';
import type { CallContext } from '../../kit/surface.ts';
import { holdsOneOf, type Scope } from '../oauth/scopes.ts';
import type { AccessToken } from '../oauth/token-cache.ts';
import type { TokenSource } from '../oauth/token-source.ts';
import { type ApiAnswer, type Body, readAnswer } from './answer.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below `/api/v3`, one element per segment. */
  readonly path: readonly string[];
  /** Becomes `input_data`: in the address of a GET, in the form of a write. */
  readonly input?: object | undefined;
}

/** What one call of a tool may ask, with the scopes that the tool needs. */
export interface Portal {
  readonly call: CallContext;
  /** Who works with this server, where that is known. */
  readonly technicianEmail: string | undefined;
  /** Throws ToolFailure. */
  send(request: ApiRequest): Promise<Body>;
}

export interface ServiceDesk {
  /** Throws FORBIDDEN if it is known that none of `scopes` was granted: nothing is asked then. */
  open(scopes: readonly Scope[], call: CallContext): Promise<Portal>;
}

export interface ServiceDeskParts {
  readonly http: HttpClient;
  readonly tokens: TokenSource;
  /** Ends in `/api/v3`. */
  readonly apiRoot: string;
  /** What the tenant is allowed by its file; undefined: whatever the token may do. */
  readonly allowedScopes: readonly string[] | undefined;
  readonly technicianEmail: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Any other, and the portal answers with its login page. */
const accept = 'application/vnd.manageengine.sdp.v3+json';

export function createServiceDesk(parts: ServiceDeskParts): ServiceDesk {
  return {
    async open(scopes, call) {
      admit(parts.allowedScopes, scopes);
      const { scopes: granted } = await unlessAborted(parts.tokens.get(), call.signal);
      admit(granted, scopes);
      return {
        call,
        technicianEmail: parts.technicianEmail,
        send: (request) =>
          withRetry(() => ask(parts, request, { scopes, signal: call.signal }), {
            isSafe: request.method === 'GET',
            clock: parts.clock,
            log: parts.log,
            signal: call.signal,
          }),
      };
    },
  };
}

interface Asking {
  readonly scopes: readonly Scope[];
  readonly signal: AbortSignal;
}

/** One request; a second one with a new token where the first token was not taken, which is before anything was done. */
async function ask(parts: ServiceDeskParts, request: ApiRequest, asking: Asking): Promise<Body> {
  const { tokens } = parts;
  const token = await unlessAborted(tokens.get(), asking.signal);
  let answer = await exchange(parts, request, { token, signal: asking.signal });
  if (answer.kind === 'token' && tokens.discard(token)) {
    const renewed = await unlessAborted(tokens.get(), asking.signal);
    answer = await exchange(parts, request, { token: renewed, signal: asking.signal });
    if (answer.kind === 'token') tokens.discard(renewed);
  }
  if (answer.kind === 'ok') return answer.body;
  if (answer.kind === 'failed') throw answer.failure;
  throw answer.kind === 'scope' ? lacking(asking.scopes) : tokenNotTaken();
}

async function exchange(
  { http, tokens, apiRoot, clock }: ServiceDeskParts,
  { method, path, input }: ApiRequest,
  { token, signal }: { readonly token: AccessToken; readonly signal: AbortSignal },
): Promise<ApiAnswer> {
  const url = new URL([apiRoot, ...path.map(encodeURIComponent)].join('/'));
  const form = input && new URLSearchParams({ input_data: JSON.stringify(input) }).toString();
  const isWrite = method !== 'GET';
  if (!isWrite && form) url.search = form;
  const headers = { accept, authorization: `Zoho-oauthtoken ${token.text}` };
  const answer: HttpAnswer = await http.send({
    method,
    url,
    signal,
    ...(isWrite && form
      ? { headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' }, body: form }
      : { headers }),
  });
  const { status, text } = answer;
  const read = readAnswer({
    status,
    text,
    isWrite,
    retryAfterSeconds: retryAfterSeconds(answer.headers, clock),
  });
  if (read.kind === 'ok') tokens.confirm(token);
  return read;
}

function admit(granted: readonly string[] | undefined, needed: readonly Scope[]): void {
  if (granted && needed.length > 0 && !holdsOneOf(granted, needed)) throw lacking(needed);
}

function lacking(needed: readonly Scope[]): ToolFailure {
  const [first = ''] = needed;
  return new ToolFailure('FORBIDDEN', `Tenant lacks required scopes: ${first}`, {
    vendorCode: 'OAUTH_SCOPE_MISMATCH',
    hint: `Make a new refresh token whose scopes include ${needed.join(' or ')} (or the module's .ALL), and name it in SDP_ALLOWED_SCOPES if that is set`,
  });
}

function tokenNotTaken(): ToolFailure {
  return new ToolFailure('UNAUTHENTICATED', 'ServiceDesk Plus does not take the access token', {
    status: 401,
    vendorCode: '4022',
    hint: 'A token is good only in the data centre that issued it, and only for a technician of this portal: check SDP_DATA_CENTER, SDP_BASE_URL and SDP_INSTANCE_NAME',
  });
}

/** A call that is called off does not call off the token that others wait for. */
function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new ToolFailure('CANCELLED', 'The call was called off'));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
