import type { Clock } from './clock.ts';
import { ToolFailure } from './failure.ts';
import { readBodyText } from './body-text.ts';
import { isLoopback } from './variable-kinds.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Absolute, and of the client's origin. */
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Aborted when the caller no longer wants the answer. */
  readonly signal: AbortSignal;
}

/** Any status but a redirect; what it means is for the vendor's own code to say. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface HttpClient {
  readonly origin: string;
  /** Throws ToolFailure: TIMED_OUT, UNAVAILABLE, BAD_REPLY (redirect, too large), CANCELLED, INTERNAL_ERROR (foreign origin). */
  send(request: HttpRequest): Promise<HttpAnswer>;
}

export interface HttpClientOptions {
  /** The vendor as people call it, in failures. */
  readonly vendor: string;
  /** The only origin this client ever talks to: credentials go nowhere else. */
  readonly origin: URL;
  /** For one request, until its last byte. */
  readonly timeoutMs: number;
  /** Of an answer's body, after decompression. */
  readonly maxBytes: number;
  readonly clock: Clock;
}

/** `fetch` with a deadline, a size limit, one origin and no redirects. Never asks twice: see `retry.ts`. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { origin } = options.origin;
  if (options.origin.protocol !== 'https:' && !isLoopback(options.origin))
    throw new ToolFailure('INTERNAL_ERROR', `${options.vendor} is only asked over https`);
  return {
    origin,
    async send(request) {
      // A path or a next-page link of the vendor's may lead anywhere; our credentials do not follow.
      if (request.url.origin !== origin)
        throw new ToolFailure('INTERNAL_ERROR', `A request would leave ${origin} and was not sent`);
      return exchange(request, options);
    },
  };
}

async function exchange(request: HttpRequest, options: HttpClientOptions): Promise<HttpAnswer> {
  const { vendor, timeoutMs, maxBytes, clock } = options;
  const deadline = new AbortController();
  const callOff = clock.after(timeoutMs, () => {
    deadline.abort();
  });
  try {
    const response = await fetch(request.url, {
      method: request.method,
      redirect: 'manual',
      signal: AbortSignal.any([request.signal, deadline.signal]),
      ...(request.headers && { headers: request.headers }),
      ...(request.body !== undefined && { body: request.body }),
    });
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      throw new ToolFailure('BAD_REPLY', `${vendor} answered with a redirect, which is not followed`, {
        status: response.status,
        hint: 'Look whether the configured URL is the right one for this account',
      });
    }
    const text = await readBodyText(response, maxBytes);
    if (text === undefined) {
      const message = `The answer of ${vendor} is larger than ${Math.round(maxBytes / 1024)} KiB`;
      const hint = 'Ask for fewer records or fields';
      throw new ToolFailure('BAD_REPLY', message, { hint, executed: 'unknown' });
    }
    return { status: response.status, headers: response.headers, text };
  } catch (thrown) {
    throw failureOf(thrown, request, { vendor, timeoutMs, isLate: deadline.signal.aborted });
  } finally {
    callOff();
  }
}

interface Circumstances {
  readonly vendor: string;
  readonly timeoutMs: number;
  readonly isLate: boolean;
}

function failureOf(thrown: unknown, { signal }: HttpRequest, how: Circumstances): ToolFailure {
  if (thrown instanceof ToolFailure) return thrown;
  if (signal.aborted)
    return new ToolFailure('CANCELLED', 'The call was called off', { executed: 'unknown', cause: thrown });
  if (how.isLate) {
    const message = `${how.vendor} did not answer within ${Math.round(how.timeoutMs / 100) / 10} s`;
    return new ToolFailure('TIMED_OUT', message, { executed: 'unknown', retryable: true, cause: thrown });
  }
  const code = causeCode(thrown);
  const isUnsent = unsent.test(code);
  return new ToolFailure('UNAVAILABLE', `${how.vendor} cannot be reached (${code})`, {
    executed: isUnsent ? 'no' : 'unknown',
    retryable: !untrusted.test(code),
    hint: untrusted.test(code)
      ? 'Its certificate is not trusted here; look at the clock, the URL and NODE_EXTRA_CA_CERTS'
      : 'Check the network, the firewall and the configured URL',
    cause: thrown,
  });
}

/** Failures from before the first byte was sent: even a write cannot have happened. */
const untrusted = /CERT|TLS|SSL|SIGNATURE|ALTNAME/;
const unsent =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$|CERT|TLS|SSL|ALTNAME/;

/** `fetch` says "fetch failed"; why stands further in. */
function causeCode(thrown: unknown): string {
  for (let at = thrown, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'string' && /^[A-Z0-9_]+$/.test(code)) return code;
  }
  return 'connection lost';
}
