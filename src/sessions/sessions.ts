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
import { introduction, Session } from './session.ts';

export interface SessionBounds {
  /** A session that nobody uses ends after so many milliseconds. */
  readonly idle: number;
  /** No session lives longer than so many milliseconds. */
  readonly maxAge: number;
  readonly max: number;
  readonly maxPerTenant: number;
}

/** Who is here. A session is found only by the key it was opened with; for anybody else it does not exist. */
export interface Sessions {
  open(
    owner: Principal,
    server: string,
    upstream: Upstream,
    call: Call,
  ): Promise<{ session: Session; reply: Reply }>;
  /** @throws {ProxyError} SESSION_NOT_FOUND, in the same words whether it never was, ended, or is another's. */
  require(owner: Principal, server: string, id: string): Session;
  close(session: Session, reason: string): void;
  closeWhere(test: (session: Session) => boolean, reason: string): void;
  countOf(tenantId: string, server: string): number;
  readonly size: number;
  /** End what is idle or old. */
  sweep(): void;
}

export function createSessions(bounds: SessionBounds, clock: Clock, announce: Announce): Sessions {
  const sessions = new Map<string, Session>();
  const perTenant = new Map<string, number>();

  function count(tenantId: string, step: number): void {
    const now = (perTenant.get(tenantId) ?? 0) + step;
    if (now > 0) perTenant.set(tenantId, now);
    else perTenant.delete(tenantId);
  }

  function close(session: Session, reason: string): void {
    if (!sessions.delete(session.id)) return;
    count(session.tenantId, -1);
    session.close(reason);
    const { tenantId, keyName, server, calls } = session;
    announce({ type: 'session.closed', tenantId, keyName, server, reason, calls });
  }

  /** Clients that never say goodbye must not lock others out: the session unused longest makes room. */
  function makeRoom(owner: Principal): void {
    if ((perTenant.get(owner.tenantId) ?? 0) >= bounds.maxPerTenant) {
      const oldest = unusedLongest(sessions.values(), (session) => session.tenantId === owner.tenantId);
      if (!oldest)
        throw new ProxyError('TENANT_BUSY', 'All sessions of this tenant are in use', { retryAfterMs: 5000 });
      close(oldest, 'its place was needed');
    } else if (sessions.size >= bounds.max) {
      const oldest = unusedLongest(sessions.values(), () => true);
      if (!oldest) throw new ProxyError('OVERLOADED', 'All sessions are in use', { retryAfterMs: 5000 });
      close(oldest, 'its place was needed');
    }
  }

  return {
    async open(owner, server, upstream, call) {
      makeRoom(owner);
      const { protocolVersion, capabilities, client } = introduction(call.message);
      const id = randomBytes(32).toString('base64url') as SessionId;
      const session = new Session(id, owner, server, { now: clock.now(), capabilities });
      session.protocolVersion = negotiate(protocolVersion);
      const { line, result } = await upstream.connect(session, call);
      session.line = line;
      sessions.set(id, session);
      count(owner.tenantId, 1);
      announce({
        type: 'session.opened',
        ...owner,
        server,
        client,
        protocolVersion: session.protocolVersion,
      });
      return {
        session,
        reply: { parts: [initializeAnswer(call.message, result, protocolVersion)], isError: false },
      };
    },
    require(owner, server, id) {
      const session = sessions.get(id);
      const isOwn =
        session?.tenantId === owner.tenantId &&
        session.keyName === owner.keyName &&
        session.server === server;
      if (!session || !isOwn)
        throw new ProxyError('SESSION_NOT_FOUND', 'No such session; open a new one with initialize');
      session.lastUsedAt = clock.now();
      return session;
    },
    close,
    closeWhere(test, reason) {
      for (const session of [...sessions.values()].filter(test)) close(session, reason);
    },
    countOf(tenantId, server) {
      let found = 0;
      for (const session of sessions.values())
        if (session.tenantId === tenantId && session.server === server) found++;
      return found;
    },
    get size() {
      return sessions.size;
    },
    sweep() {
      const now = clock.now();
      for (const session of sessions.values()) {
        const isUsed = session.inFlight > 0 || session.isListening;
        if (now - session.openedAt > bounds.maxAge) close(session, 'it was old');
        else if (!isUsed && now - session.lastUsedAt > bounds.idle) close(session, 'it was idle');
      }
    },
  };
}

function unusedLongest(
  sessions: Iterable<Session>,
  test: (session: Session) => boolean,
): Session | undefined {
  let oldest: Session | undefined;
  for (const session of sessions) {
    if (session.inFlight > 0 || !test(session)) continue;
    if (!oldest || session.lastUsedAt < oldest.lastUsedAt) oldest = session;
  }
  return oldest;
}
