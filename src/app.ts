import type { IncomingMessage } from 'node:http';
import type { Actions } from './admin/actions.ts';
import { buildStatus } from './admin/build-status.ts';
import { type AdminListener, openAdminListener } from './admin/listener.ts';
import type { Status } from './admin/status.ts';
import { limitTries } from './auth/tries.ts';
import { createKeyRing } from './auth/key-ring.ts';
import { launcherSettings } from './config/launcher-settings.ts';
import { tenantsSettings } from './config/tenants-settings.ts';
import type { Config } from './config/load-config.ts';
import { createAnnouncer } from './events/announcer.ts';
import type { Announce } from './events/events.ts';
import { Gateway } from './gateway/gateway.ts';
import { type StrainMeter, watchStrain } from './gateway/strain.ts';
import { type Listener, openListener } from './http/listener.ts';
import { McpEndpoint } from './http/mcp-endpoint.ts';
import { createRemoteOf } from './http/remote-address.ts';
import { SseEndpoint } from './http/sse-endpoint.ts';
import { createLogger, type Logger } from './logging/logger.ts';
import { logEvents } from './logging/observe.ts';
import { createTally } from './metrics/tally.ts';
import { Redactor } from './secrets/redactor.ts';
import { openSecretSources } from './secrets/open-sources.ts';
import { Listeners } from './sessions/listeners.ts';
import { Sessions } from './sessions/sessions.ts';
import { stateKey } from './state/state-key.ts';
import { openTenants, type WatchedTenants } from './tenants/registry.ts';
import type { TenantChange } from './tenants/tenant.ts';
import { whoMustGo } from './tenants/who-must-go.ts';
import { systemClock } from './time/clock.ts';
import { version } from './version.ts';
import { addressList } from './yaml/addresses.ts';
import { type Launcher, openLauncher } from './workers/sandbox/launcher.ts';
import { openKeptState } from './workers/kept-state.ts';
import type { WallsInForce } from './workers/sandbox/isolation.ts';
import { readGroupMemory } from './workers/memory.ts';
import { Upstreams } from './workers/upstreams.ts';

/** A proxy in this process: everything `proxy serve` does, without the command line. */
export interface Proxy extends Actions {
  /**
   * Read the tenants, open the front door and the admin socket. Resolves with the URL clients use.
   * Rejects with the system's error if an address cannot be had; nothing is left open then.
   */
  start(): Promise<{ readonly url: string }>;
  /**
   * Refuse what is new, let calls in flight finish for 24 s, then end every process; at most 30 s in all.
   * Resolves with how many calls were cut. `reason` is for the log.
   */
  stop(reason?: string): Promise<{ readonly cutCalls: number }>;
  /** Kill every child process at once, synchronously. For the very end only; the log tells `stack`, if a fault is why. */
  kill(stack?: string): void;
}

export interface ProxyOptions {
  /** Told of everything that happens, beside the log. One that throws is not asked again. */
  readonly listeners?: readonly Announce[];
}

/** How long calls in flight may go on once the proxy is told to stop, in milliseconds. */
const drainMs = 24_000;
/** How long processes may take to end after that. */
const endMs = 4000;
/** How long answers may take to go out at the very end. */
const flushMs = 500;
/** How often idle and old sessions are looked for. */
const sessionSweepMs = 5000;

/** Put the parts together. Nothing runs until `start`. */
export function createProxy(config: Config, options: ProxyOptions = {}): Proxy {
  return new App(config, options);
}

/** The one place where the parts meet. */
class App implements Proxy {
  readonly #config: Config;
  readonly #redactor = new Redactor(systemClock);
  readonly #logger: Logger;
  readonly #announce: Announce;
  readonly #tally = createTally();
  readonly #keys = createKeyRing();
  readonly #sessions: Sessions;
  readonly #listeners: Listeners;
  readonly #upstreams: Upstreams;
  readonly #startedAt = systemClock.now();
  #open: OpenDoors | undefined;
  #launcher: Launcher | undefined;
  #state: Status['state'] = 'starting';
  #stopping: Promise<{ cutCalls: number }> | undefined;

  constructor(config: Config, { listeners = [] }: ProxyOptions) {
    const { workers, sessions, log } = config;
    this.#config = config;
    const { redact } = this.#redactor;
    this.#logger = createLogger({ level: log.level, format: log.format, redact });
    this.#announce = createAnnouncer([logEvents(this.#logger), this.#tally.listen, ...listeners], redact);
    this.#sessions = new Sessions(sessions, systemClock, this.#announce);
    this.#listeners = new Listeners(sessions);
    this.#upstreams = new Upstreams({
      ...workers,
      clock: systemClock,
      announce: this.#announce,
      kept: openKeptState(config.state, systemClock),
      redactor: this.#redactor,
      launch: (spec, tenantId) => this.#launcher?.launch(spec, tenantId) ?? Promise.reject(notStarted()),
    });
  }

  async start(): Promise<{ url: string }> {
    if (this.#open) throw new Error('The proxy was started already');
    const { folder, secrets } = this.#config;
    const tenants = await openTenants({
      ...tenantsSettings(this.#config),
      digestKey: stateKey(this.#config.state, 'generations.key'),
      secrets: openSecretSources(secrets, { baseDir: folder, env: process.env, clock: systemClock }),
      announce: this.#announce,
    });
    const launcherParts = { ...launcherSettings(this.#config), announce: this.#announce };
    const { isolation } = (this.#launcher = await openLauncher(launcherParts));
    this.#follow({ added: [...tenants.all()], changed: [], removed: [] });
    tenants.onChange((change) => this.#follow(change));
    this.#open = await this.#openDoors(tenants, isolation);
    process.once('exit', this.#kill);
    tenants.watch();
    this.#state = 'ready';
    const { url } = this.#open.listener;
    const { workers, sessions } = this.#config;
    this.#announce({
      type: 'proxy.listening',
      url,
      tenants: tenants.size,
      isolation: isolation.tier,
      isolationReason: isolation.reason,
      ...{ cgroups: isolation.cgroups, cgroupsReason: isolation.cgroupsReason },
      ...{ poolSize: workers.max, sessionTimeout: sessions.idle },
    });
    return { url };
  }

  stop(reason = 'stop() was called'): Promise<{ cutCalls: number }> {
    return (this.#stopping ??= this.#stop(reason));
  }

  kill(stack?: string): void {
    this.#kill();
    if (stack !== undefined) this.#announce({ type: 'proxy.crashed', stack });
    this.#logger.flush();
  }

  async status(): Promise<Status> {
    const { tenants, gateway, listener, isolation } = this.#doors;
    const status = buildStatus({
      version,
      clock: systemClock,
      startedAt: this.#startedAt,
      state: this.#state,
      url: listener.url,
      tenants,
      upstreams: this.#upstreams,
      sessions: this.#sessions,
      tally: this.#tally,
      inFlight: gateway.inFlight,
      groupMemory: readGroupMemory(),
      isolation,
      redact: this.#redactor.redact,
    });
    return Promise.resolve(status);
  }

  reload(): Promise<TenantChange> {
    return this.#doors.tenants.reload();
  }

  async restart(tenantId: string): Promise<number> {
    return this.#upstreams.restart(this.#doors.tenants.require(tenantId));
  }

  async reap(tenantId?: string): Promise<number> {
    if (tenantId !== undefined) this.#doors.tenants.require(tenantId);
    return Promise.resolve(this.#upstreams.reap(tenantId));
  }

  get #doors(): OpenDoors {
    if (!this.#open) throw notStarted();
    return this.#open;
  }

  readonly #kill = (): void => this.#upstreams.killAll();

  async #openDoors(tenants: WatchedTenants, isolation: WallsInForce): Promise<OpenDoors> {
    const { listen, limits, admin, sessions } = this.#config;
    const { inFlight, inFlightPerTenant, loopDelay, memory } = limits;
    const strain = watchStrain({ loopDelay, memory, announce: this.#announce });
    const gateway = new Gateway({
      authenticate: limitTries(this.#keys.authenticate, limits.badKeys, this.#announce),
      tenants,
      sessions: this.#sessions,
      listeners: this.#listeners,
      upstreamFor: (tenant, spec) => this.#upstreams.of(tenant, spec),
      guardsFor: () => [],
      admission: { max: inFlight, maxPerTenant: inFlightPerTenant, strain: strain.now },
      announce: this.#announce,
      clock: systemClock,
    });
    const remoteOf = createRemoteOf(addressList(listen.trustedProxies));
    const parts = {
      gateway,
      maxBody: limits.body,
      maxDepth: limits.depth,
      isDraining: () => this.#state === 'draining',
      remoteOf,
      refused: (request: IncomingMessage) =>
        this.#announce({ type: 'auth.refused', remote: remoteOf(request) }),
    };
    const endpoint = new McpEndpoint(parts);
    const sse = new SseEndpoint({ ...parts, maxPerTenant: sessions.maxPerTenant });
    const isReady = () => this.#state === 'ready';
    const front = { ...listen, maxConnections: limits.connections, endpoint, sse, isReady };
    let listener: Listener | undefined;
    try {
      listener = await openListener(front);
      const door = await openAdminListener(admin.socket, this);
      const sweeping = setInterval(() => this.#sessions.sweep(), sessionSweepMs).unref();
      return { tenants, gateway, isolation, strain, endpoint, sse, listener, admin: door, sweeping };
    } catch (thrown) {
      strain.close();
      endpoint.close();
      sse.close();
      await listener?.close(0);
      await this.#upstreams.close('the proxy did not start', endMs);
      await this.#launcher?.close();
      throw thrown;
    }
  }

  /** The tenants in force are others now: so are keys, servers and sessions. Calls in flight finish. */
  #follow({ added, changed, removed }: TenantChange): void {
    this.#keys.apply({ added, changed, removed });
    const present = [...added, ...changed.map(({ after }) => after)];
    this.#launcher?.expect(present.filter(({ enabled }) => enabled).map(({ id }) => id));
    for (const tenant of present) {
      if (tenant.enabled) this.#upstreams.apply(tenant);
      else this.#upstreams.remove(tenant.id);
    }
    for (const { id } of removed) {
      this.#upstreams.remove(id);
      this.#tally.forget(id);
    }
    const isGone = whoMustGo({ changed, removed });
    this.#sessions.retireWhere(isGone, 'its tenant, key or server is gone');
    this.#listeners.endWhere(isGone);
  }

  async #stop(reason: string): Promise<{ cutCalls: number }> {
    const { tenants, gateway, strain, endpoint, sse, listener, admin, sweeping } = this.#doors;
    this.#state = 'draining';
    this.#announce({ type: 'proxy.draining', reason, inFlight: gateway.inFlight });
    tenants.close();
    clearInterval(sweeping);
    strain.close();
    listener.drain();
    this.#listeners.endWhere(() => true);
    const cutCalls = await gateway.drained(drainMs);
    endpoint.close();
    sse.close();
    await Promise.all([this.#upstreams.close('the proxy stops', endMs), listener.close(flushMs)]);
    await this.#launcher?.close();
    await admin.close();
    process.off('exit', this.#kill);
    this.#announce({ type: 'proxy.stopped', cutCalls });
    this.#logger.flush();
    return { cutCalls };
  }
}

/** What there is only between start and stop. */
interface OpenDoors {
  readonly tenants: WatchedTenants;
  readonly gateway: Gateway;
  readonly isolation: WallsInForce;
  readonly strain: StrainMeter;
  readonly endpoint: McpEndpoint;
  readonly sse: SseEndpoint;
  readonly listener: Listener;
  readonly admin: AdminListener;
  readonly sweeping: NodeJS.Timeout;
}

const notStarted = (): Error => new Error('The proxy was not started');
