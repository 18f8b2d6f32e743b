import type { Tenant } from '../../tenants/tenant.ts';
import { problemLines } from '../problems.ts';
import { readConfig } from '../read-config.ts';
import { readTenants } from '../read-tenants.ts';
import { type Cell, table } from '../table.ts';
import type { ExitCode, Terminal } from '../terminal.ts';

const columns = [
  { title: 'TENANT' },
  { title: 'ENABLED' },
  { title: 'KEYS', align: 'right' as const },
  { title: 'SERVERS' },
];

export async function tenantList(
  terminal: Terminal,
  options: { readonly config: string },
): Promise<ExitCode> {
  const config = readConfig(terminal, options.config);
  if (config === undefined) return 1;
  const { tenants, problems } = await readTenants(config);
  if (tenants.length > 0) {
    const shape = { colours: terminal.colours, width: terminal.width() };
    terminal.out(table(columns, tenants.map(rowOf), shape));
  } else {
    terminal.out(`No tenants in ${config.tenants}\n`);
  }
  terminal.err(problemLines(problems));
  return problems.length > 0 ? 1 : 0;
}

function rowOf({ id, enabled, keys, servers }: Tenant): Cell[] {
  return [
    { text: id, colour: 'bold' },
    { text: enabled ? 'yes' : 'no', colour: enabled ? undefined : 'dim' },
    { text: String(keys.length), colour: keys.length === 0 ? 'yellow' : undefined },
    { text: [...servers.keys()].join(', ') },
  ];
}
