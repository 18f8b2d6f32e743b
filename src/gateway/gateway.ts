import { randomUUID } from 'node:crypto';
import type { Authenticate, Credentials, Principal } from '../auth/principal.ts';
import { type Call, Cancellation, type Guard, guarded, type Handler, type Reply } from '../calls/call.ts';
import { type ErrorCode, ProxyError } from '../calls/error.ts';
import { Roster } from '../calls/roster.ts';
import type { Upstream } from '../calls/upstream.ts';
import type { Announce } from '../events/events.ts';
import type { Message } from '../mcp/message.ts';
import { methods } from '../mcp/methods.ts';
import type { Listeners } from '../sessions/listeners.ts';
import type { Session } from '../sessions/session.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Tenant, Tenants } from '../tenants/tenant.ts';
import type { Clock } from '../time/clock.ts';
import type { ServerSpec } from '../workers/spec.ts';
import { Admission, type AdmissionParts } from './admission.ts';
import { createDeadlines, untilTheTaskIsOver } from './deadline.ts';
import { pong, requireServer } from './local-answers.ts';
import { type Visit, visiting, visitorOf } from './visit.ts';

export interface GatewayParts {
  readonly authenticate: Authenticate;
  readonly tenants: Pick<Tenants, 'find'>;
  readonly sessions: Sessions;
  readonly upstreamFor: (tenant: Tenant, spec: ServerSpec) => Upstream;
  readonly guardsFor: (tenant: Tenant) => readonly Guard[];
  /** Callers of the modern era who wait for news. */
  readonly listeners: Listeners;
  readonly admission: AdmissionParts;
  readonly announce: Announce;
  readonly clock: Clock;
}

/** A caller that is known. */
export interface Identified {
  readonly principal: Principal;
  readonly tenant: Tenant;
}

/** A caller that is known, and the server it has come for. */
export interface Admitted extends Identified {
  readonly spec: ServerSpec;
}

/** One request of a client, free of HTTP. */
export interface Inbound {
  readonly sessionId: string | undefined;
  readonly message: Message;
  /** Send the client something ahead of the answer. */
  readonly tell: (message: readonly Buffer[]) => boolean;
  /** Give a sign of life while the answer is not there. */
  readonly stayAwake: () => void;
  /** Runs its argument once the answer has left; undefined: as soon as there is one. */
  readonly sent?: (then: () => void) => void;
  /** Of the modern era, which has no sessions: what the request says of who asks, and its headers. */
  readonly visit?: Visit;
}

export interface Answer {
  readonly reply: Reply;
  /** Set when the request opened a session. */
  readonly opened?: Session;
}

/** The whole way of every request, top to bottom. If a step is not on this page, it does not happen. */
export class Gateway {
  readonly #parts: GatewayParts;
  readonly #inFlight = new Roster<Call>();
  readonly #admission: Admission;
  readonly #watchDeadlines: () => void;
  #whenDrained: () => void = () => undefined;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    this.#admission = new Admission(parts.admission);
    this.#watchDeadlines = createDeadlines(this.#inFlight, parts.clock);
  }

  /**
   * Who asks, and for which server? The tenant follows from the credential alone; named elsewhere, it may only be confirmed.
   * @throws {ProxyError} UNAUTHENTICATED, FORBIDDEN, NOT_FOUND
   */
  admit(credentials: Credentials, server: string | undefined, namedTenant: string | undefined): Admitted {
    return this.toServer(this.identify(credentials, namedTenant), server);
  }

  /** The first half of it. @throws {ProxyError} UNAUTHENTICATED, FORBIDDEN */
  identify(credentials: Credentials, namedTenant: string | undefined): Identified {
    const principal = this.#parts.authenticate(credentials);
    const tenant = this.#parts.tenants.find(principal.tenantId);
    if (!tenant)
      throw new ProxyError('TENANT_NOT_CONFIGURED', 'The tenant of this key is not configured any more');
    if (namedTenant !== undefined && namedTenant !== tenant.id) {
      throw new ProxyError(
        'FORBIDDEN',
        'Tenant not found or inactive for this key; leave the tenant header out',
      );
    }
    return { principal, tenant };
  }

  /** The second half. @throws {ProxyError} NOT_FOUND */
  toServer({ principal, tenant }: Identified, server: string | undefined): Admitted {
    return { principal, tenant, spec: requireServer(tenant, server) };
  }

  /** A request and its one answer, in time. Ends in exactly one event, whatever happens. @throws {ProxyError} */
  async request(caller: Admitted, inbound: Inbound): Promise<Answer> {
    const call = this.#callOf(caller, inbound);
    this.#inFlight.add(call);
    this.#watchDeadlines();
    try {
      const answer = await this.#admitted(caller, call, inbound);
      this.#ended(call, answer.reply.isError ? 'error' : 'ok');
      return answer;
    } catch (thrown) {
      const error = ProxyError.from(thrown).withRequestId(call.requestId);
      if (error.code === 'INTERNAL_ERROR') this.#failed(call, error);
      this.#ended(call, error.code);
      throw error;
    } finally {
      this.#inFlight.remove(call);
      if (this.#inFlight.size === 0) this.#whenDrained();
    }
  }

  /** A notification, or the client's answer to a question of the server: nothing comes back. */
  accept(caller: Admitted, sessionId: string, message: Message): void {
    this.session(caller, sessionId).accept(message);
  }

  /** The session, if it is this caller's. @throws {ProxyError} SESSION_NOT_FOUND */
  session({ principal, spec }: Admitted, sessionId: string): Session {
    return this.#parts.sessions.require(principal, spec.name, sessionId);
  }

  /** The same, for who can do without. */
  findSession({ principal, spec }: Admitted, sessionId: string | undefined): Session | undefined {
    return sessionId === undefined ? undefined : this.#parts.sessions.find(principal, spec.name, sessionId);
  }

  /** The client says goodbye. */
  end(caller: Admitted, sessionId: string): void {
    this.#parts.sessions.close(this.session(caller, sessionId), 'the client closed it');
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Have those calls give a sign of life that run for `olderThanMs` already. */
  keepAwake(olderThanMs: number): void {
    const now = this.#parts.clock.now();
    for (const { startedAt, stayAwake } of this.#inFlight) if (now - startedAt >= olderThanMs) stayAwake();
  }

  /** Wait until no call is in flight, at most `maxMs`; then cut those that still are. Resolves with how many that were. */
  async drained(maxMs: number): Promise<number> {
    await new Promise<void>((resolve) => {
      const stopTimer = this.#parts.clock.after(maxMs, resolve);
      this.#whenDrained = () => {
        stopTimer();
        resolve();
      };
      if (this.#inFlight.size === 0) this.#whenDrained();
    });
    // Whoever asked last must have been told before the streams are ended.
    await new Promise((resolve) => setImmediate(resolve));
    const cut = [...this.#inFlight];
    for (const { cancellation, dispatched } of cut) {
      const executed = dispatched ? 'unknown' : 'no';
      cancellation.cancel(
        new ProxyError('DRAINING', 'The proxy stopped before the answer came', { executed }),
      );
    }
    return cut.length;
  }

  /** Whoever only listens is counted with the sessions. */
  async #admitted(caller: Admitted, call: Call, inbound: Inbound): Promise<Answer> {
    if (call.message.method === methods.listen) return this.#walk(caller, call, inbound);
    this.#admission.enter(call.tenantId);
    try {
      return await this.#walk(caller, call, inbound);
    } finally {
      // An answer that is not read takes up memory: whoever leaves many of them unread is let in no further.
      const leave = () => this.#admission.leave(call.tenantId);
      if (inbound.sent) inbound.sent(leave);
      else leave();
    }
  }

  async #walk(caller: Admitted, call: Call, { sessionId, visit }: Inbound): Promise<Answer> {
    const { method } = call.message;
    if (visit) {
      const upstream = this.#parts.upstreamFor(caller.tenant, caller.spec);
      return { reply: await this.#guarded(caller, visiting(upstream, visit, this.#parts.listeners))(call) };
    }
    if (method === methods.initialize) return this.#open(caller, call);
    if (sessionId === undefined)
      throw new ProxyError('INVALID_REQUEST', 'Send Mcp-Session-Id, or initialize first');
    const session = this.session(caller, sessionId);
    if (method === methods.ping) return { reply: pong(call.message) };
    session.began(call);
    try {
      return { reply: await this.#guarded(caller, session.line.exchange)(call) };
    } finally {
      session.ended(call);
    }
  }

  async #open(caller: Admitted, call: Call): Promise<Answer> {
    const { sessions, upstreamFor } = this.#parts;
    const { principal, tenant, spec } = caller;
    let opened: Session | undefined;
    const reply = await this.#guarded(caller, async (guardedCall) => {
      const opening = await sessions.open(principal, spec.name, upstreamFor(tenant, spec), guardedCall);
      opened = opening.session;
      return opening.reply;
    })(call);
    return opened ? { reply, opened } : { reply };
  }

  #guarded({ tenant }: Admitted, innermost: Handler): Handler {
    return guarded(this.#parts.guardsFor(tenant), innermost);
  }

  #callOf({ principal, tenant, spec }: Admitted, { message, tell, stayAwake, visit }: Inbound): Call {
    const { tenantId, keyName } = principal;
    const now = this.#parts.clock.now();
    return {
      // Random, because a counter would tell each tenant how much the others do.
      requestId: randomUUID().slice(24),
      tenantId,
      keyName,
      server: spec.name,
      message,
      cancellation: visit?.cancellation ?? new Cancellation(),
      ...(visit && { visitor: visitorOf(visit) }),
      tell,
      stayAwake,
      startedAt: now,
      deadline: message.method === methods.taskResult ? untilTheTaskIsOver(tenant.deadline) : tenant.deadline,
      dispatched: false,
      heardAt: now,
      openQuestions: 0,
      place: 0,
    };
  }

  /** Nobody but the operator is told what went wrong. */
  #failed({ requestId }: Call, { cause }: ProxyError): void {
    const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    this.#parts.announce({ type: 'proxy.failed', requestId, reason });
  }

  #ended(call: Call, outcome: 'ok' | 'error' | ErrorCode): void {
    const { requestId, tenantId, keyName, server, message, startedAt } = call;
    const tookMs = this.#parts.clock.now() - startedAt;
    const { method } = message;
    this.#parts.announce({
      type: 'call.ended',
      outcome,
      tookMs,
      method,
      tenantId,
      keyName,
      server,
      requestId,
    });
  }
}
