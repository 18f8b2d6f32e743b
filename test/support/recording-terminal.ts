import { run } from '../../src/cli/program.ts';
import { type ExitCode, type Terminal } from '../../src/cli/terminal.ts';

/** What one command line came to. */
export interface Ran {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

/** Runs `proxy …` in this process, with a terminal that keeps what is written. */
export async function runRecorded(...args: readonly string[]): Promise<Ran> {
  let out = '';
  let err = '';
  const terminal: Terminal = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    colours: false,
    width: () => undefined,
  };
  const code = await run(args, terminal);
  return { code, out, err };
}
