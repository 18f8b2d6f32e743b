import { isIPv6 } from 'node:net';
import { ProxyError } from '../calls/error.ts';
import type { Announce } from '../events/events.ts';
import { type Clock, systemClock } from '../time/clock.ts';
import type { Authenticate } from './principal.ts';

/** What an address may still try. */
interface Allowance {
  left: number;
  at: number;
}

const minuteMs = 60_000;
/** Addresses that are remembered; with more, the one that began first is forgotten. */
const maxAddresses = 10_000;
const mostAddressLength = 64;

/**
 * Whoever shows more than `perMinute` keys that are none is told to wait, and for how long. A valid key is let in all the
 * same: many callers may come from one address, and one of them must not shut out the others.
 * @throws {ProxyError} what `authenticate` throws, or RATE_LIMITED in its place
 */
export function limitTries(
  authenticate: Authenticate,
  perMinute: number,
  announce: Announce,
  clock: Pick<Clock, 'now'> = systemClock,
): Authenticate {
  const allowances = new Map<string, Allowance>();

  function allowanceOf(place: string, now: number): Allowance {
    const known = allowances.get(place);
    if (known) {
      known.left = Math.min(perMinute, known.left + ((now - known.at) * perMinute) / minuteMs);
      known.at = now;
      return known;
    }
    const [oldest] = allowances.keys();
    if (allowances.size >= maxAddresses && oldest !== undefined) allowances.delete(oldest);
    const fresh = { left: perMinute, at: now };
    allowances.set(place, fresh);
    return fresh;
  }

  /** How long until the next try, in milliseconds; 0: this one is still one of the allowed. */
  function count(remote: string): number {
    const allowance = allowanceOf(placeOf(remote), clock.now());
    const before = allowance.left;
    // Whoever goes on meanwhile waits no longer for it, but gets no nearer to being told anew either.
    allowance.left = Math.max(-1, before - 1);
    if (before >= 1) return 0;
    if (before >= 0) announce({ type: 'auth.limited', remote });
    return ((1 - allowance.left) * minuteMs) / perMinute;
  }

  return (credentials) => {
    try {
      return authenticate(credentials);
    } catch (thrown) {
      const waitMs = count(credentials.remote);
      if (waitMs === 0) throw thrown;
      throw new ProxyError('RATE_LIMITED', 'Too many tries without a valid key from this address', {
        retryAfterMs: waitMs,
      });
    }
  };
}

/** Whoever has one IPv6 address has the 2^64 beside it too. */
function placeOf(remote: string): string {
  const address = remote.slice(0, mostAddressLength);
  if (!isIPv6(address) || address.includes('.')) return address;
  const [before = [], after = []] = address.split('::').map((half) => half.split(':').filter(Boolean));
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':');
}
