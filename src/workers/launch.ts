import { execa } from 'execa';
import type { Readable, Writable } from 'node:stream';
import type { ServerSpec } from './spec.ts';

/** A started process and its three pipes. */
export interface Child {
  /** Undefined if it could not be started at all; `exit` then says why. */
  readonly pid: number | undefined;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the process itself is gone, even if a grandchild still holds its pipes. Never rejects. */
  readonly exit: Promise<Exit>;
  /** Signal the process and all its descendants that stayed in its group. */
  signalGroup(signal: NodeJS.Signals): void;
}

export interface Exit {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** A system error code such as ENOENT, if it could not be started. */
  readonly cause: string | undefined;
}

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

/** Start a tenant's server, without a shell, as the leader of a process group of its own. */
export function launch(spec: ServerSpec, passEnv: readonly string[]): Child {
  const subprocess = execa(spec.command, spec.args, {
    env: childEnvironment(spec, process.env, passEnv),
    extendEnv: false,
    cwd: spec.cwd,
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
    buffer: false,
    reject: false,
    detached: true,
    cleanup: false,
    stripFinalNewline: false,
  });
  const { pid, stdin, stdout, stderr } = subprocess;
  const exit = new Promise<Exit>((resolve) => {
    subprocess.once('exit', (code, signal) => {
      resolve({ exitCode: code ?? undefined, signal: signal ?? undefined, cause: undefined });
    });
    void subprocess.then((result) => {
      resolve({
        exitCode: result.exitCode,
        signal: result.signal,
        cause: 'code' in result ? result.code : undefined,
      });
    });
  });
  return {
    pid,
    stdin,
    stdout,
    stderr,
    exit,
    signalGroup: (signal) => {
      signalGroup(pid, signal);
    },
  };
}

/** The group outlives its leader, so this reaches grandchildren even after the process itself has gone. */
function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: nobody is left, which is what was wanted.
  }
}

/** What a caller is told whose call was with the process. */
export function crashMessage({ exitCode, signal, cause }: Exit): string {
  if (cause !== undefined) return `The server could not be started (${cause})`;
  const how = signal ?? `exit code ${exitCode ?? 'unknown'}`;
  return `The server process ended (${how}) before it answered; the tool may have run`;
}
