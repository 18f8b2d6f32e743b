import { readScopes } from './scopes.ts';

/** What came of asking the accounts server. */
export type TokenAnswer =
  | {
      readonly kind: 'token';
      readonly text: string;
      readonly lifetimeMs: number;
      readonly scopes: readonly string[] | undefined;
    }
  /** It will never work with these credentials. */
  | { readonly kind: 'refused'; readonly error: string }
  | { readonly kind: 'throttled' }
  | { readonly kind: 'failed'; readonly error: string }
  /** The question never got there. */
  | { readonly kind: 'unreachable'; readonly error: string };

/** Words that mean the credentials themselves; all others may pass. */
const permanent = new Set([
  'invalid_code',
  'invalid_client',
  'invalid_client_secret',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
]);

const defaultLifetimeS = 3600;
const maxLifetimeS = 24 * 3600;

/**
 * Reads an answer by its body, because the status says little: a revoked refresh token comes with 200, and being
 * throttled with 400 or 200.
 */
export function readTokenAnswer(status: number, text: string): TokenAnswer {
  const body = objectIn(text);
  if (!body) return { kind: 'failed', error: `HTTP ${status} without JSON` };
  const { access_token: token, error, error_description: description } = body;
  if (typeof token === 'string' && token !== '') {
    return { kind: 'token', text: token, lifetimeMs: lifetimeOf(body) * 1000, scopes: scopesOf(body) };
  }
  const word = typeof error === 'string' ? error : `HTTP ${status}`;
  if (permanent.has(word)) return { kind: 'refused', error: word };
  const isThrottled =
    status === 429 || /too many requests/i.test(String(description)) || word === 'Access Denied';
  return isThrottled ? { kind: 'throttled' } : { kind: 'failed', error: word };
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** In seconds. Older accounts servers say milliseconds in `expires_in` and seconds beside it. */
function lifetimeOf({ expires_in: plain, expires_in_sec: seconds }: Record<string, unknown>): number {
  const said = Number(seconds ?? plain);
  return Number.isFinite(said) && said > 0 ? Math.min(said, maxLifetimeS) : defaultLifetimeS;
}

function scopesOf({ scope }: Record<string, unknown>): readonly string[] | undefined {
  return typeof scope === 'string' && scope.trim() !== '' ? readScopes(scope) : undefined;
}
