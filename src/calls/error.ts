/**
 * Every way the proxy itself can refuse or fail a call; one spelling for code, wire, docs and metrics.
 * The list is closed: a new feature picks the code that fits and says the rest in `message`.
 * `executed` tells a client whether the tool may have run, which decides if asking again is safe.
 */
export const errorCodes = {
  UNAUTHENTICATED: { http: 401, rpc: -31010, executed: 'no', retryable: false },
  FORBIDDEN: { http: 403, rpc: -31011, executed: 'no', retryable: false },
  INVALID_TENANT: { http: 400, rpc: -31016, executed: 'no', retryable: false },
  TENANT_NOT_CONFIGURED: { http: 404, rpc: -31017, executed: 'no', retryable: false },
  NOT_FOUND: { http: 404, rpc: -31018, executed: 'no', retryable: false },
  SESSION_NOT_FOUND: { http: 404, rpc: -31012, executed: 'no', retryable: false },
  PARSE_ERROR: { http: 400, rpc: -32700, executed: 'no', retryable: false },
  INVALID_REQUEST: { http: 400, rpc: -32600, executed: 'no', retryable: false },
  HEADER_MISMATCH: { http: 400, rpc: -32020, executed: 'no', retryable: false },
  MISSING_CAPABILITY: { http: 400, rpc: -32021, executed: 'no', retryable: false },
  UNSUPPORTED_VERSION: { http: 400, rpc: -32022, executed: 'no', retryable: false },
  INVALID_PARAMS: { http: 400, rpc: -32602, executed: 'no', retryable: false },
  METHOD_NOT_FOUND: { http: 404, rpc: -32601, executed: 'no', retryable: false },
  METHOD_NOT_ALLOWED: { http: 405, rpc: -31019, executed: 'no', retryable: false },
  NOT_ACCEPTABLE: { http: 406, rpc: -31020, executed: 'no', retryable: false },
  TOO_LARGE: { http: 413, rpc: -31013, executed: 'no', retryable: false },
  UNSUPPORTED_MEDIA_TYPE: { http: 415, rpc: -31021, executed: 'no', retryable: false },
  RATE_LIMITED: { http: 429, rpc: -31004, executed: 'no', retryable: true },
  TENANT_BUSY: { http: 429, rpc: -31014, executed: 'no', retryable: true },
  OVERLOADED: { http: 503, rpc: -31005, executed: 'no', retryable: true },
  UNAVAILABLE: { http: 503, rpc: -31003, executed: 'no', retryable: true },
  DRAINING: { http: 503, rpc: -31008, executed: 'no', retryable: true },
  CRASHED: { http: 200, rpc: -31001, executed: 'unknown', retryable: false },
  TIMED_OUT: { http: 200, rpc: -31002, executed: 'unknown', retryable: false },
  BAD_REPLY: { http: 200, rpc: -31006, executed: 'unknown', retryable: false },
  CANCELLED: { http: 200, rpc: -31015, executed: 'unknown', retryable: false },
  INTERNAL_ERROR: { http: 500, rpc: -32603, executed: 'unknown', retryable: false },
} as const satisfies Record<string, Meaning>;

interface Meaning {
  readonly http: number;
  /** Own numbers stay outside -32768..-32000, which JSON-RPC and MCP keep for themselves; those in it mean what they say. */
  readonly rpc: number;
  readonly executed: 'no' | 'unknown';
  readonly retryable: boolean;
}

export type ErrorCode = keyof typeof errorCodes;

/** A refusal or failure of the proxy's own. The code is promised; the message is for people. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly code: ErrorCode;
  /** How long to wait before asking again, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Overrides the table where it is known better, e.g. a crash before the call was written. */
  readonly executed: 'no' | 'unknown';
  /** What the specification wants in `error.data` of such an error. */
  readonly details: Readonly<Record<string, unknown>> | undefined;
  /** Which request of this process it is about: the same in the log. */
  requestId: string | undefined;

  constructor(code: ErrorCode, message: string, options: ProxyErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.executed = options.executed ?? errorCodes[code].executed;
    this.details = options.details;
  }

  /** The same error, tied to the one request it is about: a copy where others have it too, as when a worker crashed. */
  withRequestId(requestId: string): ProxyError {
    const { code, message, executed, retryAfterMs, cause, details } = this;
    const own =
      this.requestId === undefined
        ? this
        : new ProxyError(code, message, {
            cause,
            executed,
            ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
            ...(details && { details }),
          });
    own.requestId = requestId;
    return own;
  }

  /** Anything thrown becomes a ProxyError; a stranger is INTERNAL_ERROR, and its text stays in the log. */
  static from(thrown: unknown): ProxyError {
    if (thrown instanceof ProxyError) return thrown;
    return new ProxyError('INTERNAL_ERROR', 'The proxy failed; its log says why', { cause: thrown });
  }
}

export interface ProxyErrorOptions {
  readonly cause?: unknown;
  readonly retryAfterMs?: number;
  readonly executed?: 'no' | 'unknown';
  readonly details?: Readonly<Record<string, unknown>>;
}
