import { ToolFailure } from '../../kit/failure.ts';
import type { NoToken } from './token-source.ts';

/** Why there is no token, as callers see it. */
export function noTokenFailure(reason: NoToken, consoleUrl: string): ToolFailure {
  switch (reason.kind) {
    case 'refused':
      return new ToolFailure(
        'UNAUTHENTICATED',
        `Invalid OAuth credentials: the accounts server says ${reason.error}`,
        {
          vendorCode: reason.error,
          hint: refusedHint(reason.error, consoleUrl),
        },
      );
    case 'throttled':
      return new ToolFailure('RATE_LIMITED', 'The accounts server gives no more access tokens for now', {
        retryAfterSeconds: Math.ceil(reason.retryAfterMs / 1000),
        hint: 'It gives ten in ten minutes for one refresh token: look who else uses this one, and give each its own',
      });
    case 'failed':
      return new ToolFailure('UNAVAILABLE', `OAuth validation failed: ${reason.error}`, {
        retryAfterSeconds: Math.ceil(reason.retryAfterMs / 1000),
        hint: 'Look whether the accounts server can be reached and is the one of this data centre',
      });
  }
}

function refusedHint(error: string, consoleUrl: string): string {
  if (error.includes('client')) {
    return `SDP_CLIENT_ID and SDP_CLIENT_SECRET must be those of the self-client at ${consoleUrl}, in this data centre`;
  }
  return `The refresh token was revoked, is of another client or another data centre: make a new one at ${consoleUrl} and set SDP_REFRESH_TOKEN; this process does not ask again`;
}
