import { type TokenAnswer } from './token-answer.ts';
import { type AccessToken, type TokenCache, type TokenState } from './token-cache.ts';

/** Renewed so long before it ends, so that no call sets out with a token that ends under way. */
const earlyMs = 5 * 60_000;
/** An accounts server gives ten tokens in ten minutes for one refresh token, and then none at all for a while. */
const windowMs = 10 * 60_000;
const maxInWindow = 10;
const minBackoffMs = 60_000;
const maxBackoffMs = 10 * 60_000;
/** Nobody was reached, so no token was spent. */
const unreachableBackoffMs = 5_000;
/** A token that ends sooner is not worth setting out with. */
const leastLifeMs = 10_000;
/** Where the API takes no token at all, they are replaced no more often than this. */
const replaceEveryMs = 2 * 60_000;

/** Why there is no token. */
export type NoToken =
  /** For good: not asked again while this process lives. */
  | { readonly kind: 'refused'; readonly error: string }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number }
  | { readonly kind: 'failed'; readonly error: string; readonly retryAfterMs: number };

export interface TokenSourceParts {
  readonly cache: TokenCache;
  /** Asks the accounts server once. Does not throw. */
  readonly ask: () => Promise<TokenAnswer>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The error that callers see. */
  readonly errorOf: (reason: NoToken) => Error;
  /** Hears of every token that comes into use: fetched now, or by another process. */
  readonly onToken: (token: AccessToken, isFetched: boolean) => void;
  /** Hears of every answer of the accounts server that brought no token. */
  readonly onFailure: (reason: NoToken) => void;
}

/** The access tokens of one refresh token: taken from the cache, renewed early, by one process at a time. */
export class TokenSource {
  readonly #parts: TokenSourceParts;
  #current: AccessToken | undefined;
  #discarded: string | undefined;
  #discardedAt = Number.NEGATIVE_INFINITY;
  /** It came in place of one that the API did not take, and has not been taken itself. */
  #unproven: string | undefined;
  #refusal: NoToken | undefined;
  #flight: Promise<AccessToken> | undefined;

  constructor(parts: TokenSourceParts) {
    this.#parts = parts;
  }

  /** A token that is good for a while; one question to the accounts server however many wait. */
  get(): Promise<AccessToken> {
    if (this.#refusal) return Promise.reject(this.#parts.errorOf(this.#refusal));
    if (this.#isFresh(this.#current)) return Promise.resolve(this.#current);
    this.#flight ??= this.#renew().finally(() => {
      this.#flight = undefined;
    });
    return this.#flight;
  }

  /** The API took it. */
  confirm(token: AccessToken): void {
    if (token.text === this.#unproven) this.#unproven = undefined;
  }

  /**
   * The API did not take it. True if `get` will bring another one; false where the last replacement was not taken
   * either, because then a token is not what is wrong, and each further one would bring the lock-out nearer.
   */
  discard(token: AccessToken): boolean {
    const now = this.#parts.now();
    // Another call has seen to it already.
    if (token.text !== this.#current?.text) return true;
    if (token.text === this.#unproven && now - this.#discardedAt < replaceEveryMs) return false;
    if (token.text !== this.#discarded) this.#discardedAt = now;
    this.#discarded = token.text;
    return true;
  }

  /** When nothing is being asked any more, so that a process can end without leaving a lock behind. */
  async settled(): Promise<void> {
    await this.#flight?.catch(() => undefined);
  }

  #renew(): Promise<AccessToken> {
    const { cache, now } = this.#parts;
    return cache.exclusively(async () => {
      const state = await cache.read();
      if (this.#isFresh(state.token)) return this.#take(state.token, false);
      const live = [this.#current, state.token].find((token) => this.#isGood(token));
      const reason = holdOff(state, now());
      return reason ? this.#goWithout(reason, live) : this.#ask(state, live);
    });
  }

  async #ask(state: TokenState, live: AccessToken | undefined): Promise<AccessToken> {
    const { cache, ask, now, onFailure } = this.#parts;
    // Written down before asking: a process that is killed while it asks has spent a token too.
    const asking = { ...state, askedAt: [...recent(state.askedAt, now()), now()] };
    await cache.write(asking);
    const after = stateAfter(await ask(), asking, now());
    await cache.write(after.state);
    if (after.reason === undefined) return this.#take(after.token, true);
    onFailure(after.reason);
    return this.#goWithout(after.reason, live);
  }

  /** A token that is about to end is better than none, unless the credentials themselves were refused. */
  #goWithout(reason: NoToken, live: AccessToken | undefined): AccessToken {
    if (reason.kind === 'refused') this.#refusal = reason;
    else if (live) return live;
    throw this.#parts.errorOf(reason);
  }

  #take(token: AccessToken, isFetched: boolean): AccessToken {
    if (this.#discarded !== undefined) this.#unproven = token.text;
    this.#discarded = undefined;
    this.#current = token;
    this.#parts.onToken(token, isFetched);
    return token;
  }

  #isGood(token: AccessToken | undefined): token is AccessToken {
    if (token === undefined || token.text === this.#discarded) return false;
    return this.#parts.now() < token.expiresAt - leastLifeMs;
  }

  #isFresh(token: AccessToken | undefined): token is AccessToken {
    return this.#isGood(token) && this.#parts.now() < token.renewAt;
  }
}

const recent = (askedAt: readonly number[], now: number) =>
  askedAt.filter((at) => at > now - windowMs && at <= now);

/** Why the accounts server must not be asked now; undefined if it may. */
function holdOff(state: TokenState, now: number): NoToken | undefined {
  const waitMs = state.retryAt - now;
  // Longer than any wait there is: the clock was set back meanwhile.
  const isWaiting = waitMs > 0 && waitMs <= maxBackoffMs;
  if (isWaiting && state.refusal !== undefined) return { kind: 'refused', error: state.refusal };
  if (isWaiting) return { kind: 'throttled', retryAfterMs: waitMs };
  const asked = recent(state.askedAt, now);
  const [first = now] = asked;
  return asked.length >= maxInWindow
    ? { kind: 'throttled', retryAfterMs: first + windowMs - now }
    : undefined;
}

type After =
  | { readonly state: TokenState; readonly token: AccessToken; readonly reason: undefined }
  | { readonly state: TokenState; readonly token: undefined; readonly reason: NoToken };

function stateAfter(answer: TokenAnswer, state: TokenState, now: number): After {
  if (answer.kind === 'token') {
    const { text, lifetimeMs, scopes } = answer;
    const expiresAt = now + lifetimeMs;
    const token = { text, expiresAt, renewAt: expiresAt - Math.min(earlyMs, lifetimeMs / 2), scopes };
    const settled = { ...state, token, retryAt: 0, failures: 0, refusal: undefined };
    return { state: settled, token, reason: undefined };
  }
  const failures = state.failures + 1;
  const baseMs = answer.kind === 'unreachable' ? unreachableBackoffMs : minBackoffMs;
  const refused = answer.kind === 'refused';
  const retryAfterMs = refused ? maxBackoffMs : Math.min(maxBackoffMs, baseMs * 2 ** (failures - 1));
  const held = {
    ...state,
    retryAt: now + retryAfterMs,
    failures,
    refusal: refused ? answer.error : undefined,
  };
  return { state: held, token: undefined, reason: reasonOf(answer, retryAfterMs) };
}

function reasonOf(answer: Exclude<TokenAnswer, { kind: 'token' }>, retryAfterMs: number): NoToken {
  if (answer.kind === 'refused') return answer;
  if (answer.kind === 'throttled') return { kind: 'throttled', retryAfterMs };
  return { kind: 'failed', error: answer.error, retryAfterMs };
}
