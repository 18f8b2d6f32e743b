import { revokeKey } from '../../tenants/key-file.ts';
import { onTenantFile, tellRunningProxy, type TenantOptions } from '../tenant-keys.ts';
import type { ExitCode, Terminal } from '../terminal.ts';

export function keyRevoke(
  terminal: Terminal,
  options: TenantOptions & { readonly name: string },
): Promise<ExitCode> {
  const { tenant, name } = options;
  return onTenantFile(terminal, options, async (file, config) => {
    if (!(await revokeKey(file, name))) {
      terminal.err(`${tenant} has no key of this name; see: proxy key list ${tenant}\n`);
      return 1;
    }
    const told = await tellRunningProxy(config);
    terminal.out(`Revoked; ${told === 'told' ? 'the running proxy refuses it now' : 'no proxy runs here'}\n`);
    return 0;
  });
}
