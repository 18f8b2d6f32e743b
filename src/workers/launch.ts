import { PassThrough, Readable, type Writable } from 'node:stream';
import type { TenantId } from '../calls/ids.ts';
import type { Launched } from './sandbox/keeper-line.ts';
import type { ServerSpec } from './spec.ts';

/** A process that was started, or should have been, and its three pipes. */
export interface Child {
  /** The server's own process, as the machine numbers it. Undefined if it could not be started; `exit` then says why. */
  readonly pid: number | undefined;
  /** The process group it is in: for its memory. */
  readonly group: number | undefined;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the process itself is gone, even if a grandchild still holds its pipes. Never rejects. */
  readonly exit: Promise<Exit>;
  /** Settles when nothing more will come on stderr. */
  readonly lastWords: Promise<void>;
  /**
   * Signal the process and all its descendants that stayed in its group. SIGKILL also ends the sandbox, with everything
   * in it; and once the process is gone, whatever it has left behind, wherever that went.
   */
  signalGroup(signal: NodeJS.Signals): void;
}

export interface Exit {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** A system error code such as ENOENT, or SANDBOX, if it could not be started. */
  readonly cause: string | undefined;
}

/** Starts a tenant's server. Never rejects. */
export type Launch = (spec: ServerSpec, tenantId: TenantId) => Promise<Child>;

/** Of the proxy's own environment only these reach a child: enough to find programs, nothing that could be a secret. */
const inherited = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR', 'SystemRoot'];

/** The whole environment of a child: a few variables of ours, those the operator passes on, and the tenant's. */
export function childEnvironment(
  spec: Pick<ServerSpec, 'env'>,
  own: Readonly<Record<string, string | undefined>>,
  passEnv: readonly string[],
): Record<string, string> {
  const env: Record<string, string> = {
    // A Python child would otherwise keep its answers in a buffer until that is full.
    PYTHONUNBUFFERED: '1',
  };
  for (const name of [...inherited, ...passEnv]) {
    const value = own[name];
    if (value !== undefined) env[name] = value;
  }
  for (const [name, secret] of Object.entries(spec.env)) env[name] = secret.reveal();
  return env;
}

/** What the keeper started, as the worker sees it. */
export function childOf(launched: Launched, signalGroup: Child['signalGroup']): Child {
  if ('cause' in launched) return stillborn(launched.cause, launched.words);
  const { pid, group, stdin, stdout, stderr } = launched;
  const exit = launched.exit.then((end): Exit => ({ ...end, cause: undefined }));
  return { pid, group, stdin, stdout, stderr, exit, lastWords: closed(stderr), signalGroup };
}

/** A child that could not be started: silent, but for what is known of why. */
export function stillborn(cause: string, words = ''): Child {
  const stderr = Readable.from(words === '' ? [] : [Buffer.from(words)]);
  return {
    pid: undefined,
    group: undefined,
    stdin: new PassThrough().resume(),
    stdout: Readable.from([]),
    stderr,
    exit: Promise.resolve({ exitCode: undefined, signal: undefined, cause }),
    lastWords: words === '' ? Promise.resolve() : closed(stderr),
    signalGroup: () => undefined,
  };
}

function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['close', 'end', 'error']) stream.once(event, () => resolve());
  });
}

/** What a caller is told whose call was with the process. */
export function crashMessage({ exitCode, signal, cause }: Exit): string {
  if (cause === 'SANDBOX') return "The server's sandbox could not be made; the proxy's log says why";
  if (cause !== undefined) return `The server could not be started (${cause})`;
  const how = signal ?? `exit code ${exitCode ?? 'unknown'}`;
  return `The server process ended (${how}) before it answered; the tool may have run`;
}
