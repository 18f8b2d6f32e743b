import { createAdminClient, NotRunning, Refused, type AdminClient } from './admin-client.ts';
import { readConfig } from './read-config.ts';
import { type ExitCode, type Terminal } from './terminal.ts';

/** Asks the running proxy of this config, and says in one way for all commands what can go wrong. */
export async function askProxy(
  terminal: Terminal,
  configFile: string,
  ask: (admin: AdminClient) => Promise<ExitCode>,
): Promise<ExitCode> {
  const config = readConfig(terminal, configFile);
  if (config === undefined) return 1;
  try {
    return await ask(createAdminClient(config.admin.socket));
  } catch (thrown) {
    if (thrown instanceof Refused) {
      terminal.err(`${thrown.code} ${thrown.message}\n`);
      return 1;
    }
    if (thrown instanceof NotRunning) {
      terminal.err(`${thrown.message}\n`);
      return 2;
    }
    throw thrown;
  }
}
