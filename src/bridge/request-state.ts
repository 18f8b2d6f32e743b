import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** What the proxy must know again when a client takes up a call that came to `input_required`. */
export interface SealedState {
  /** Which parked call, or the server's own state on the worker that gave it. */
  readonly park?: number;
  readonly worker?: number;
  readonly state?: string;
}

/** Whose a state is, and for which request. Another's, or one for another request, is as good as forged. */
export interface StateOwner {
  readonly tenantId: string;
  readonly keyName: string;
  readonly server: string;
  readonly method: string;
  /** `params.name` or `params.uri`. */
  readonly name: string;
}

export interface StateSeal {
  seal(owner: StateOwner, state: SealedState): string;
  /** Undefined if it was not sealed here for this owner, or has expired. */
  open(owner: StateOwner, sealed: string): SealedState | undefined;
}

/** How long a client may take to come back, in milliseconds. */
export const stateLifetimeMs = 600_000;

const macBytes = 32;

/**
 * `requestState` passes through the client, so it is signed, bound to the principal and the request, and expires
 * (2026-07-28 basic/patterns/mrtr, "Server Requirements" 4 and 5). The key is made anew with each proxy process: what
 * is parked does not outlive it either.
 */
export function createStateSeal(now: () => number): StateSeal {
  const key = randomBytes(32);
  const macOf = (owner: StateOwner, payload: string) =>
    createHmac('sha256', key)
      .update(JSON.stringify([owner.tenantId, owner.keyName, owner.server, owner.method, owner.name]))
      .update(payload)
      .digest();

  return {
    seal(owner, state) {
      const json = JSON.stringify({ ...state, until: now() + stateLifetimeMs });
      const payload = Buffer.from(json).toString('base64url');
      return `${payload}.${macOf(owner, payload).toString('base64url')}`;
    },
    open(owner, sealed) {
      const [payload = '', mac = '', ...rest] = sealed.split('.');
      const given = Buffer.from(mac, 'base64url');
      if (rest.length > 0 || given.length !== macBytes) return undefined;
      if (!timingSafeEqual(given, macOf(owner, payload))) return undefined;
      const { until, ...state } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as SealedState & {
        until: number;
      };
      return now() < until ? state : undefined;
    },
  };
}
