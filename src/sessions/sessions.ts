import { randomBytes } from 'node:crypto';
import type { Principal } from '../auth/principal.ts';
import type { Call, Reply } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import type { SessionId } from '../calls/ids.ts';
import type { Upstream } from '../calls/upstream.ts';
import type { Announce } from '../events/events.ts';
import { initializeAnswer } from '../mcp/handshake.ts';
import { negotiate } from '../mcp/versions.ts';
import type { Clock } from '../time/clock.ts';
import { ReplayBudget, type ReplayBounds } from './replay-budget.ts';
import { introduction } from './introduction.ts';
import { Session } from './session.ts';

export interface SessionBounds {
  /** A session that nobody uses ends after so many milliseconds. */
  readonly idle: number;
  /** No session lives longer than so many milliseconds. */
  readonly maxAge: number;
  readonly max: number;
  readonly maxPerTenant: number;
  readonly replay: ReplayBounds;
}

/** Who is here. A session is found only by the key it was opened with; for anybody else it does not exist. */
export class Sessions {
  readonly #bounds: SessionBounds;
  readonly #clock: Clock;
  readonly #announce: Announce;
  readonly #sessions = new Map<string, Session>();
  /** Sessions and those that are being opened. */
  readonly #perTenant = new Map<string, number>();
  readonly #replayBudget: ReplayBudget;
  #opening = 0;

  constructor(bounds: SessionBounds, clock: Clock, announce: Announce) {
    this.#bounds = bounds;
    this.#clock = clock;
    this.#announce = announce;
    this.#replayBudget = new ReplayBudget(bounds.replay, () => clock.now());
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Answer `initialize` and remember who asked. Rejects with TENANT_BUSY or OVERLOADED when all sessions are in use. */
  async open(
    owner: Principal,
    server: string,
    upstream: Pick<Upstream, 'connect'>,
    call: Call,
  ): Promise<{ session: Session; reply: Reply }> {
    const { tenantId } = owner;
    // Counted from here on: of many that come at once, none may find a place that another has already.
    this.#count(tenantId, 1);
    this.#opening++;
    try {
      this.#requireRoom(tenantId);
      const { protocolVersion, capabilities, client } = introduction(call.message);
      const id = randomBytes(32).toString('base64url') as SessionId;
      const spoken = negotiate(protocolVersion);
      const session = new Session(id, owner, server, {
        now: () => this.#clock.now(),
        capabilities,
        protocolVersion: spoken,
        replayBudget: this.#replayBudget,
      });
      const connection = await upstream.connect(session, call);
      session.line = connection.line;
      this.#sessions.set(id, session);
      this.#announce({ type: 'session.opened', ...owner, server, client, protocolVersion: spoken });
      const reply = { parts: [initializeAnswer(call.message, connection, spoken)], isError: false };
      this.#makeRoom(session);
      return { session, reply };
    } catch (thrown) {
      this.#count(tenantId, -1);
      throw thrown;
    } finally {
      this.#opening--;
    }
  }

  /** @throws {ProxyError} SESSION_NOT_FOUND, in the same words whether it never was, has ended, or is another's. */
  require(owner: Principal, server: string, id: string): Session {
    const session = this.find(owner, server, id);
    if (!session)
      throw new ProxyError('SESSION_NOT_FOUND', 'No such session; open a new one with initialize');
    session.lastUsedAt = this.#clock.now();
    return session;
  }

  find(owner: Principal, server: string, id: string): Session | undefined {
    const session = this.#sessions.get(id);
    const isOwn =
      session?.tenantId === owner.tenantId && session.keyName === owner.keyName && session.server === server;
    return isOwn ? session : undefined;
  }

  close(session: Session, reason: string): void {
    if (!this.#sessions.delete(session.id)) return;
    this.#count(session.tenantId, -1);
    session.close(reason);
    const { tenantId, keyName, server, calls } = session;
    this.#announce({ type: 'session.closed', tenantId, keyName, server, reason, calls });
  }

  /** End these sessions, each as soon as it has no call in flight. */
  retireWhere(test: (session: Session) => boolean, reason: string): void {
    for (const session of this.#sessions.values()) {
      if (test(session)) session.whenIdle(() => this.close(session, reason));
    }
  }

  /** How many sessions each server has, by `tenant/server`. */
  countByServer(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { tenantId, server } of this.#sessions.values()) {
      const key = `${tenantId}/${server}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }

  /** End what is idle or old, and forget what was kept long enough. */
  sweep(): void {
    this.#replayBudget.sweep();
    const now = this.#clock.now();
    const { idle, maxAge } = this.#bounds;
    for (const session of this.#sessions.values()) {
      const isUsed = session.inFlight > 0 || session.isListening;
      if (now - session.openedAt > maxAge) this.close(session, 'it was old');
      else if (!isUsed && now - session.lastUsedAt > idle) this.close(session, 'it was idle');
    }
  }

  #count(tenantId: string, step: number): void {
    const now = (this.#perTenant.get(tenantId) ?? 0) + step;
    if (now > 0) this.#perTenant.set(tenantId, now);
    else this.#perTenant.delete(tenantId);
  }

  #isTenantFull(tenantId: string): boolean {
    return (this.#perTenant.get(tenantId) ?? 0) > this.#bounds.maxPerTenant;
  }

  /** @throws {ProxyError} TENANT_BUSY, OVERLOADED if there is no room and nobody who could make some */
  #requireRoom(tenantId: string): void {
    const isTenantFull = this.#isTenantFull(tenantId);
    if (!isTenantFull && this.#sessions.size + this.#opening <= this.#bounds.max) return;
    if (this.#unusedLongest(isTenantFull ? tenantId : undefined, undefined)) return;
    const code = isTenantFull ? 'TENANT_BUSY' : 'OVERLOADED';
    throw new ProxyError(code, 'All sessions are in use; close one, or try again shortly', {
      retryAfterMs: 5000,
    });
  }

  /** Clients that never say goodbye must not lock others out: once `fresh` is here, the one unused longest goes. */
  #makeRoom(fresh: Session): void {
    const isTenantFull = this.#isTenantFull(fresh.tenantId);
    if (!isTenantFull && this.#sessions.size <= this.#bounds.max) return;
    const oldest = this.#unusedLongest(isTenantFull ? fresh.tenantId : undefined, fresh);
    if (oldest) this.close(oldest, 'its place was needed');
  }

  /** Of one tenant, or of all; one that somebody listens on only if there is no other. */
  #unusedLongest(tenantId: string | undefined, except: Session | undefined): Session | undefined {
    let oldest: Session | undefined;
    for (const session of this.#sessions.values()) {
      if (session.inFlight > 0 || session === except) continue;
      if (tenantId !== undefined && session.tenantId !== tenantId) continue;
      if (!oldest || isLessUsed(session, oldest)) oldest = session;
    }
    return oldest;
  }
}

function isLessUsed(one: Session, other: Session): boolean {
  if (one.isListening !== other.isListening) return other.isListening;
  return one.lastUsedAt < other.lastUsedAt;
}
