import { listKeys } from '../../tenants/key-file.ts';
import { makeKey } from '../make-key.ts';
import { onTenantFile, tellRunningProxy, type TenantOptions } from '../tenant-keys.ts';
import type { ExitCode, Terminal } from '../terminal.ts';

interface KeyCreateOptions extends TenantOptions {
  readonly name: string;
  readonly expires?: string;
}

const maxNameLength = 63;

/** The key alone goes to stdout, so that it can be piped to where it is kept; everything else to stderr. */
export function keyCreate(terminal: Terminal, options: KeyCreateOptions): Promise<ExitCode> {
  const { tenant, name, expires } = options;
  const trouble = troubleWith(name, expires);
  if (trouble !== undefined) {
    terminal.err(`${trouble}\n`);
    return Promise.resolve(2);
  }
  return onTenantFile(terminal, options, async (file, config) => {
    const known = await listKeys(file);
    if (known.some((key) => key.name === name)) {
      terminal.err(`${tenant} has a key of this name; take another name, or revoke it first\n`);
      return 1;
    }
    const key = await makeKey(file, name, expires);
    const told = await tellRunningProxy(config);
    terminal.out(`${key}\n`);
    terminal.err(
      `This key is shown only now; ${file} keeps its SHA-256. Clients send it as "Authorization: Bearer KEY" or "X-API-Key: KEY".\n`,
    );
    terminal.err(
      told === 'told' ? 'The running proxy knows it.\n' : 'No proxy runs here; start it with: proxy serve\n',
    );
    return 0;
  });
}

function troubleWith(name: string, expires: string | undefined): string | undefined {
  if (name === '' || name.length > maxNameLength)
    return `write a name of 1 to ${maxNameLength} letters after --name`;
  if (expires === undefined) return undefined;
  const at = Date.parse(expires);
  if (Number.isNaN(at)) return 'write a date after --expires, such as 2027-01-31';
  return at <= Date.now() ? 'the date after --expires is in the past' : undefined;
}
