import { onVault } from '../on-vault.ts';
import { type Cell, table } from '../table.ts';
import type { ExitCode, Terminal } from '../terminal.ts';

const columns = [{ title: 'TENANT' }, { title: 'NAME' }, { title: 'UPDATED' }, { title: 'MASTER KEY' }];

interface SecretListOptions {
  readonly config: string;
  readonly tenant: string | undefined;
  readonly json?: boolean;
}

/** Needs no master key: names are not encrypted. */
export function secretList(
  terminal: Terminal,
  { config, tenant, json }: SecretListOptions,
): Promise<ExitCode> {
  return onVault(terminal, config, async (vault) => {
    const secrets = vault.list(tenant);
    if (json === true) {
      terminal.out(`${JSON.stringify(secrets, null, 2)}\n`);
    } else if (secrets.length === 0) {
      terminal.err('The vault has none; put one in with: proxy secret set TENANT NAME\n');
    } else {
      const rows = secrets.map(({ tenant: id, name, updated, masterKey }): Cell[] => [
        { text: id },
        { text: name, colour: 'bold' },
        { text: updated.slice(0, 10) },
        { text: masterKey, colour: 'dim' },
      ]);
      terminal.out(table(columns, rows, { colours: terminal.colours, width: terminal.width() }));
    }
    return Promise.resolve(0);
  });
}
