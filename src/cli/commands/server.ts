import { pathToFileURL } from 'node:url';
import { bundledProgram, bundledServers } from '../../tenants/bundled-servers.ts';
import type { ExitCode, Terminal } from '../terminal.ts';

/** Runs a bundled server in this process: stdin, stdout and the environment are its own. */
export async function server(terminal: Terminal, name: string | undefined): Promise<ExitCode> {
  if (name === undefined) {
    terminal.out(`${bundledServers().join('\n')}\n`);
    return 0;
  }
  const program = bundledProgram(name);
  if (program === undefined) {
    terminal.err(`proxy: there is no server of this name; there are: ${bundledServers().join(', ')}\n`);
    return 2;
  }
  // By its file, not its module: servers are programs of their own, which nothing of the proxy depends on.
  await import(pathToFileURL(program).href);
  return process.exitCode === 1 ? 1 : 0;
}
