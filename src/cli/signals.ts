interface Stoppable {
  /** Graceful; resolves when nothing runs any more. */
  readonly stop: (signal: string) => Promise<unknown>;
  /** At once, and before it returns. */
  readonly kill: () => void;
}

/** EX_SOFTWARE, as sysexits.h has it. */
const failedExitCode = 70;

/**
 * What nobody caught ends the process: its state can no longer be known. Node itself would print all that hangs on an
 * error, the environment of a child among it; `tell` is given the words alone.
 */
export function endOnFault(tell: (stack: string) => void): void {
  process.once('uncaughtException', (fault: unknown) => {
    try {
      // Only what an Error says of itself.
      tell(fault instanceof Error ? (fault.stack ?? fault.message) : String(fault));
    } finally {
      process.exit(failedExitCode);
    }
  });
}

/** Waits for the first SIGTERM or SIGINT and for the graceful stop it starts; a second one kills everything. */
export function untilSignalled({ stop, kill }: Stoppable): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopping = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (stopping) {
        kill();
        // As a shell reports a process that died of the signal.
        process.exit(signal === 'SIGINT' ? 130 : 143);
      }
      stopping = true;
      stop(signal).then(() => {
        // From here on a late signal is no longer ours to answer.
        process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
        resolve();
      }, reject);
    };
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  });
}
