/**
 * Why a tool could not do what it was asked. The first eleven are the kit's own; a server may add codes of its own
 * and documents them on its page.
 */
export const failureCodes = {
  INVALID_INPUT: 'The arguments cannot be right; nothing was asked of the vendor',
  UNAUTHENTICATED: 'The vendor refuses the credentials',
  FORBIDDEN: 'The credentials are good and may not do this',
  NOT_FOUND: 'There is no such record',
  REJECTED: 'The vendor understood and refused: its own words are in the text',
  RATE_LIMITED: 'Too many requests; `retryAfterSeconds` says when to come back, where that is known',
  UNAVAILABLE: 'The vendor cannot be reached or is failing',
  TIMED_OUT: 'The vendor did not answer in time',
  CANCELLED: 'The client called it off',
  BAD_REPLY:
    'The vendor answered with something that cannot be understood, is too large, or points elsewhere',
  INTERNAL_ERROR: 'A mistake in the server itself',
} as const;

export type FailureCode = keyof typeof failureCodes;

export interface FailureDetails {
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** `unknown`: a write may have happened. It is never made a second time by itself. */
  readonly executed?: 'no' | 'unknown' | undefined;
  /** The same request may succeed a little later. */
  readonly retryable?: boolean | undefined;
  readonly retryAfterSeconds?: number | undefined;
  /** The vendor's HTTP status. */
  readonly status?: number | undefined;
  /** The vendor's own code for it. */
  readonly vendorCode?: string | undefined;
  readonly cause?: unknown;
}

/** Thrown by whatever a tool is made of; the kit makes the tool's error answer of it. Its texts must hold no secret. */
export class ToolFailure extends Error {
  readonly code: FailureCode | (string & {});
  readonly hint: string | undefined;
  readonly executed: 'no' | 'unknown';
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | undefined;
  readonly status: number | undefined;
  readonly vendorCode: string | undefined;

  constructor(code: FailureCode | (string & {}), message: string, details: FailureDetails = {}) {
    super(message, { cause: details.cause });
    this.name = 'ToolFailure';
    this.code = code;
    this.hint = details.hint;
    this.executed = details.executed ?? 'no';
    this.retryable = details.retryable ?? false;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.status = details.status;
    this.vendorCode = details.vendorCode;
  }

  /** The same failure in other words. */
  withMessage(message: string): ToolFailure {
    const { code, hint, executed, retryable, retryAfterSeconds, status, vendorCode } = this;
    const details = { hint, executed, retryable, retryAfterSeconds, status, vendorCode };
    return new ToolFailure(code, message, { ...details, cause: this });
  }
}

/** Whatever was thrown, as a failure. What nobody foresaw keeps its message out of the answer: it may quote anything. */
export function toFailure(thrown: unknown, signal?: AbortSignal): ToolFailure {
  if (thrown instanceof ToolFailure) return thrown;
  if (signal?.aborted)
    return new ToolFailure('CANCELLED', 'The call was called off', { executed: 'unknown' });
  return new ToolFailure('INTERNAL_ERROR', 'A mistake in this server; its log has more', {
    executed: 'unknown',
    cause: thrown,
  });
}
