import type { TenantId } from '../calls/ids.ts';
import type { Announce } from '../events/events.ts';
import type { Message } from '../mcp/message.ts';
import type { Redactor } from '../secrets/redactor.ts';
import type { Clock } from '../time/clock.ts';
import type { KeptState } from './kept-state.ts';
import { HandshakeFailure } from './greet.ts';
import type { WorkerKind } from './kind.ts';
import type { Child, Launch } from './launch.ts';
import type { Seats } from './seats.ts';
import type { ServerSpec } from './spec.ts';
import { Worker, type WorkerListener } from './worker.ts';

/** What every pool of the proxy has in common. */
export interface PoolTools {
  readonly clock: Clock;
  readonly announce: Announce;
  readonly seats: Seats;
  /** Starts a tenant's server behind the wall that is in force. */
  readonly launch: Launch;
  /** How long each step of stopping a process may take, in milliseconds. */
  readonly stopGrace: number;
  readonly kept: Pick<KeptState, 'eraBook' | 'memoryOf'>;
  /** Told of the secrets a process gets; masks them in what it wrote. */
  readonly redactor: Redactor;
}

/** A worker did not come to its handshake. The message is for operators and holds nothing the child wrote. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
  /** It will fail again until somebody changes something. */
  readonly permanent: boolean;
  /** It answered the handshake, and said no: it may be of the other era. */
  readonly isRefusal: boolean;
  /** It said nothing as long as it was waited for, and was still there. */
  readonly isSilence: boolean;

  constructor(message: string, { permanent = false, isRefusal = false, isSilence = false } = {}) {
    super(message);
    this.permanent = permanent;
    this.isRefusal = isRefusal;
    this.isSilence = isSilence;
  }
}

/** System errors of starting that come back however often it is tried. */
const permanentCauses = new Set([
  'ENOENT',
  'EACCES',
  'ENOEXEC',
  'ENOTDIR',
  'E2BIG',
  'EISDIR',
  'ELOOP',
  'EINVAL',
  // A NUL byte in an argument or variable.
  'ERR_INVALID_ARG_VALUE',
]);

export interface StartParts {
  readonly tenantId: TenantId;
  readonly spec: ServerSpec;
  readonly tools: PoolTools;
  readonly listener: WorkerListener;
  /** The process runs; its handshake is still to come. */
  readonly spawned: (worker: Worker) => void;
  /** It is started to find something out, and may well refuse. */
  readonly isProbe?: true;
}

/** Which worker is wanted. */
export interface Wish {
  readonly kind: WorkerKind;
  /** The `initialize` of the one client the worker is for, if it is to be one client's alone. */
  readonly own: Message | undefined;
  /** Asked once there is a seat, and once it is its turn. */
  readonly isWanted: () => boolean;
}

/**
 * The way from the wish for a worker to one that has answered its handshake: a seat, a turn, a process, a greeting.
 * Resolves with undefined if, once there was a seat or it was its turn, nobody wanted it any more.
 * @throws {StartFailure}
 */
export function startWorker(parts: StartParts, wish: Wish): Promise<Worker | undefined> {
  return parts.tools.seats.take(parts.tenantId, wish.isWanted, async () => {
    // Before there is anybody who could say them.
    const unsay = parts.tools.redactor.hold(parts.spec.env, [parts.tenantId, parts.spec.name]);
    const child = await parts.tools.launch(parts.spec, parts.tenantId).catch((thrown: unknown) => {
      parts.tools.seats.release(parts.tenantId);
      unsay();
      throw new StartFailure(thrown instanceof Error ? thrown.message : 'it could not be started');
    });
    // In one go with what follows: a process that is gone already must find its worker's listeners in place.
    const worker = employ(parts, wish, child);
    void worker.ended.then(() => {
      parts.tools.seats.release(parts.tenantId);
      unsay();
    });
    parts.spawned(worker);
    try {
      await worker.handshake();
    } catch (thrown) {
      worker.kill('it did not start');
      await worker.ended;
      throw failure(parts, worker, thrown);
    }
    const { announce, clock } = parts.tools;
    announce({
      type: 'worker.started',
      ...factsOf(parts, worker),
      startMs: Math.round(clock.now() - worker.startedAt),
    });
    return worker;
  });
}

function employ(parts: StartParts, { kind, own }: Wish, child: Child): Worker {
  const { spec, tools, listener } = parts;
  const { clock, stopGrace } = tools;
  const greeting = own ?? kind.greeting;
  const worker = new Worker({ spec, clock, child, stopGrace, listener, kind, greeting });
  if (worker.pid > 0) tools.announce({ type: 'worker.spawned', ...factsOf(parts, worker) });
  return worker;
}

const neither = { isRefusal: false, isSilence: false };

function failure(parts: StartParts, worker: Worker, thrown: unknown): StartFailure {
  const { tools } = parts;
  const { redact } = tools.redactor;
  const reason = thrown instanceof Error ? redact(thrown.message) : 'it did not start';
  const stderrTail = redact(worker.stderr());
  const { isRefusal, isSilence } = thrown instanceof HandshakeFailure ? thrown : neither;
  if (!parts.isProbe)
    tools.announce({ type: 'worker.failed', ...factsOf(parts, worker), reason, stderrTail });
  return new StartFailure(reason, {
    permanent: permanentCauses.has(worker.exit?.cause ?? ''),
    isRefusal,
    isSilence,
  });
}

/** What every event about a worker says. */
export function factsOf({ tenantId, spec }: Pick<StartParts, 'tenantId' | 'spec'>, worker: Worker) {
  return { tenantId, server: spec.name, generation: spec.generation, pid: worker.pid };
}
