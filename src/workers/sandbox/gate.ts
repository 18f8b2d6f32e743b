/**
 * The last thing before a server: a few lines of shell that set its limits, say on descriptor 3 that they stand at
 * the gate, and wait for one line there. Should whoever holds the other end die first, they read the end of it and leave, so
 * that nothing of a tenant ever runs without a keeper. The server's command and arguments come as words, never as text.
 */
export interface Limits {
  /** Bytes of memory of each process that are its own to write: heap, stacks of threads, buffers. */
  readonly memory?: number | undefined;
  /** Processes and threads together. Only where the server has a user or a user namespace to itself. */
  readonly processes?: number | undefined;
  /** Open files of each process. */
  readonly files?: number | undefined;
}

/** The kernel ends processes with more of this first when memory is out; ours has 0, so servers go before it. */
const oomScore = 800;

/** The words of a command that runs `command` behind the gate; `mask` is for the modes of files it makes. */
export function gated(limits: Limits, command: readonly string[], mask?: '077'): string[] {
  return ['/bin/sh', '-c', gateScript(limits, mask), 'gate', ...command];
}

function gateScript({ memory, processes, files }: Limits, mask: string | undefined): string {
  const lines = [
    'ulimit -c 0',
    ...(mask === undefined ? [] : [`umask ${mask}`]),
    ...(memory === undefined ? [] : [lowered('-d', Math.ceil(memory / 1024))]),
    ...(files === undefined ? [] : [lowered('-n', files)]),
    // The same limit has two names: -p in dash and BusyBox, -u in bash, where -p is another and cannot be set.
    ...(processes === undefined ? [] : [`{ ulimit -p ${processes} || ulimit -u ${processes}; } 2>/dev/null`]),
    `{ echo ${oomScore} > /proc/self/oom_score_adj; } 2>/dev/null`,
    'echo ready >&3',
    'read -r go <&3 || exit 0',
    // Some shells add these of their own.
    'unset PWD OLDPWD SHLVL',
    'exec "$@" 3<&- 4<&-',
  ];
  return lines.join('\n');
}

/** A limit that is lower already stays. */
function lowered(flag: string, value: number): string {
  return `ulimit ${flag} ${value} 2>/dev/null`;
}
