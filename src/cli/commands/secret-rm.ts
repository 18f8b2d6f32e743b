import { onVault } from '../on-vault.ts';
import { tellRunningProxy } from '../tenant-keys.ts';
import type { ExitCode, Terminal } from '../terminal.ts';
import { isReferredTo } from './secret-set.ts';

export function secretRm(
  terminal: Terminal,
  options: { readonly config: string; readonly tenant: string; readonly name: string },
): Promise<ExitCode> {
  const { tenant, name } = options;
  return onVault(terminal, options.config, async (vault, config) => {
    if (!(await vault.remove(tenant, name))) {
      terminal.err(`the vault has no secret of this name; see: proxy secret list\n`);
      return 1;
    }
    await tellRunningProxy(config);
    terminal.out(`Removed ${name} of ${tenant}\n`);
    if (await isReferredTo(config, tenant, name))
      terminal.err(
        `${tenant}'s file still takes it, so a proxy that runs goes on with the file's last good version; change the file\n`,
      );
    return 0;
  });
}
