import { ProxyError } from './error.ts';

/**
 * There is no room just now; `why` is for people. Whoever asks again is to wait between one second and `mostMs`: chance
 * keeps the refused from coming back all at once.
 */
export function tryAgain(code: 'TENANT_BUSY' | 'OVERLOADED', why: string, mostMs: number): ProxyError {
  const retryAfterMs = leastMs + Math.random() * (mostMs - leastMs);
  return new ProxyError(code, `Try again shortly: ${why}`, { retryAfterMs });
}

const leastMs = 1000;
