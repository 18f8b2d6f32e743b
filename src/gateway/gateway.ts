import type { Authenticate, Credentials, Principal } from '../auth/principal.ts';
import { type Call, Cancellation, type Guard, guarded, type Reply } from '../calls/call.ts';
import { ProxyError } from '../calls/error.ts';
import type { Upstream } from '../calls/upstream.ts';
import type { Announce } from '../events/events.ts';
import type { Message } from '../mcp/message.ts';
import { methods } from '../mcp/methods.ts';
import type { Session, SessionStream } from '../sessions/session.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Tenant, Tenants } from '../tenants/tenant.ts';
import type { Clock } from '../time/clock.ts';
import type { ServerSpec } from '../workers/spec.ts';
import { startDeadline } from './deadline.ts';
import { pong, requireServer } from './local-answers.ts';

export interface GatewayParts {
  readonly authenticate: Authenticate;
  readonly tenants: Pick<Tenants, 'find'>;
  readonly sessions: Sessions;
  readonly upstreamFor: (tenant: Tenant, spec: ServerSpec) => Upstream;
  readonly guardsFor: (tenant: Tenant) => readonly Guard[];
  readonly announce: Announce;
  readonly clock: Clock;
}

/** A caller that is known, and what it has come for. */
export interface Admitted {
  readonly principal: Principal;
  readonly tenant: Tenant;
  readonly spec: ServerSpec;
}

/** One request of a client, free of HTTP. */
export interface Inbound {
  readonly sessionId: string | undefined;
  readonly message: Message;
  /** Send the client something ahead of the answer. */
  readonly tell: (message: readonly Buffer[]) => void;
}

export interface Answer {
  readonly reply: Reply;
  /** Set when the request opened a session. */
  readonly opened: Session | undefined;
}

/** The way of every request. If a step is not on this page, it does not happen. */
export interface Gateway {
  /**
   * Who asks, and for which server: the tenant follows from the credential alone; a tenant named elsewhere may only confirm it.
   * @throws {ProxyError} UNAUTHENTICATED, FORBIDDEN, NOT_FOUND
   */
  admit(credentials: Credentials, server: string | undefined, namedTenant: string | undefined): Admitted;
  /** A request and its one answer. @throws {ProxyError} any code */
  request(caller: Admitted, inbound: Inbound): Promise<Answer>;
  /** A notification, or the client's answer to a question of the server. */
  accept(caller: Admitted, sessionId: string, message: Message): void;
  /** The session, if it is this caller's. @throws {ProxyError} SESSION_NOT_FOUND */
  session(caller: Admitted, sessionId: string): Session;
  /** Hear what the server says of itself. Returns how to stop. */
  listen(caller: Admitted, sessionId: string, stream: SessionStream): () => void;
  /** The client says goodbye. */
  end(caller: Admitted, sessionId: string): void;
  readonly inFlight: number;
}

export function createGateway(parts: GatewayParts): Gateway {
  const { authenticate, tenants, sessions, upstreamFor, guardsFor, clock } = parts;
  let lastRequest = 0;
  let inFlight = 0;

  function admit(
    credentials: Credentials,
    server: string | undefined,
    namedTenant: string | undefined,
  ): Admitted {
    const principal = authenticate(credentials);
    const tenant = tenants.find(principal.tenantId);
    if (!tenant)
      throw new ProxyError('TENANT_NOT_CONFIGURED', 'The tenant of this key is not configured any more');
    if (namedTenant !== undefined && namedTenant !== tenant.id) {
      throw new ProxyError(
        'FORBIDDEN',
        'Tenant not found or inactive for this key; leave the tenant header out',
      );
    }
    return { principal, tenant, spec: requireServer(tenant, server) };
  }

  const session = ({ principal, spec }: Admitted, id: string) => sessions.require(principal, spec.name, id);

  async function walk(caller: Admitted, call: Call, sessionId: string | undefined): Promise<Answer> {
    const { principal, tenant, spec } = caller;
    if (call.message.method === methods.initialize) {
      let opened: Session | undefined;
      const handle = guarded(guardsFor(tenant), async (guardedCall) => {
        const opening = await sessions.open(principal, spec.name, upstreamFor(tenant, spec), guardedCall);
        opened = opening.session;
        return opening.reply;
      });
      return { reply: await handle(call), opened };
    }
    if (sessionId === undefined)
      throw new ProxyError('INVALID_REQUEST', 'Send Mcp-Session-Id, or initialize first');
    const found = session(caller, sessionId);
    if (call.message.method === methods.ping) return { reply: pong(call.message), opened: undefined };
    const { line } = found;
    if (!line) throw new ProxyError('SESSION_NOT_FOUND', 'The session is not open yet');
    found.began(call);
    try {
      return { reply: await guarded(guardsFor(tenant), line.exchange)(call), opened: undefined };
    } finally {
      found.ended(call);
    }
  }

  /** Every call ends in exactly one answer or error, in time, and in exactly one event. */
  async function request(caller: Admitted, { sessionId, message, tell }: Inbound): Promise<Answer> {
    const { principal, tenant, spec } = caller;
    const call: Call = {
      requestId: (++lastRequest).toString(36),
      ...principal,
      server: spec.name,
      message,
      cancellation: new Cancellation(),
      tell,
      dispatched: false,
      progressed: () => undefined,
    };
    const startedAt = clock.now();
    const stopDeadline = startDeadline(call, tenant.deadline, clock);
    inFlight++;
    try {
      const answer = await walk(caller, call, sessionId);
      ended(call, startedAt, answer.reply.isError ? 'error' : 'ok');
      return answer;
    } catch (thrown) {
      const error = ProxyError.from(thrown).withRequestId(call.requestId);
      ended(call, startedAt, error.code);
      throw error;
    } finally {
      inFlight--;
      stopDeadline();
    }
  }

  function ended(call: Call, startedAt: number, outcome: 'ok' | 'error' | ProxyError['code']): void {
    const { requestId, tenantId, keyName, server, message } = call;
    const tookMs = clock.now() - startedAt;
    parts.announce({
      type: 'call.ended',
      outcome,
      tookMs,
      method: message.method,
      tenantId,
      keyName,
      server,
      requestId,
    });
  }

  return {
    admit,
    request,
    session,
    accept: (caller, id, message) => {
      session(caller, id).accept(message);
    },
    listen(caller, id, stream) {
      const found = session(caller, id);
      found.listen(stream);
      return () => {
        found.unlisten(stream);
      };
    },
    end: (caller, id) => {
      sessions.close(session(caller, id), 'the client closed it');
    },
    get inFlight() {
      return inFlight;
    },
  };
}
