import { type Child, childEnvironment, childOf, type Launch, stillborn } from '../launch.ts';
import type { ServerSpec } from '../spec.ts';
import { findProgram, folderTrouble } from './find-program.ts';
import { gated } from './gate.ts';
import { openInstance, sweepOrphans } from './instances.ts';
import { KeeperLine } from './keeper-line.ts';
import { markName } from './processes.ts';

export interface LauncherParts {
  /** Absolute: the folder of what the proxy keeps. */
  readonly state: string;
  /** Names of the proxy's own variables that children get too. */
  readonly passEnv: readonly string[];
  /** The keeper was killed; everything it kept was ended, and the next launch has a new one. */
  readonly keeperLost: () => void;
}

/** Starts servers, each behind the wall that is in force. */
export interface Launcher {
  readonly launch: Launch;
  /** How many processes of earlier runs were found and ended. */
  readonly orphans: number;
  /** Ends whatever was started. Nothing is launched any more. */
  close(): Promise<void>;
}

export async function openLauncher(parts: LauncherParts): Promise<Launcher> {
  const orphans = await sweepOrphans(parts.state);
  const instance = openInstance(parts.state);
  let nextId = 1;
  let line: KeeperLine | undefined;
  let isClosed = false;
  const keeper = (): KeeperLine =>
    (line ??= new KeeperLine({
      mark: instance.mark,
      instanceFile: instance.file,
      lost: () => {
        line = undefined;
        parts.keeperLost();
      },
    }));
  // It is there before the first caller is.
  keeper();

  async function launch(spec: ServerSpec): Promise<Child> {
    const env = childEnvironment(spec, process.env, parts.passEnv);
    const trouble = folderTrouble(spec.cwd);
    if (trouble !== undefined) return stillborn(trouble);
    const found = findProgram(spec.command, env['PATH'] ?? '/usr/bin:/bin', spec.cwd);
    if ('cause' in found) return stillborn(found.cause);
    if (isClosed) return stillborn('ECANCELED');
    const id = nextId++;
    const [file = '', ...args] = gated({}, [found.file, ...spec.args]);
    const marked = { ...env, [markName]: `${instance.mark}.${id}` };
    const chosen = keeper();
    const launched = await chosen.launch({ file, args, env: marked, cwd: spec.cwd, isWrapped: false }, id);
    return childOf(launched, (signal) => chosen.signal(id, signal));
  }

  return {
    launch,
    orphans,
    async close() {
      isClosed = true;
      await line?.close();
    },
  };
}
