import { listKeys } from '../../tenants/key-file.ts';
import { type Cell, table } from '../table.ts';
import { onTenantFile, type TenantOptions } from '../tenant-keys.ts';
import type { ExitCode, Terminal } from '../terminal.ts';

const columns = [{ title: 'NAME' }, { title: 'CREATED' }, { title: 'EXPIRES' }, { title: 'SHA-256' }];

export function keyList(terminal: Terminal, options: TenantOptions): Promise<ExitCode> {
  return onTenantFile(terminal, options, async (file) => {
    const keys = await listKeys(file);
    if (keys.length === 0) {
      terminal.err(
        `${options.tenant} has no key; make one with: proxy key create ${options.tenant} --name NAME\n`,
      );
      return 0;
    }
    const rows = keys.map(({ name, created = '-', expires, sha256 }): Cell[] => [
      { text: name, colour: 'bold' },
      { text: created },
      expiryCell(expires),
      // Enough to tell two keys apart.
      { text: `${sha256.slice(0, 12)}…`, colour: 'dim' },
    ]);
    terminal.out(table(columns, rows, { colours: terminal.colours, width: terminal.width() }));
    return 0;
  });
}

function expiryCell(expires: string | undefined): Cell {
  if (expires === undefined) return { text: 'never' };
  const isOver = Date.parse(expires) <= Date.now();
  return isOver ? { text: `${expires} (expired)`, colour: 'red' } : { text: expires };
}
