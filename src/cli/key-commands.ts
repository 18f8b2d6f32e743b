import { type Command } from 'commander';
import { configOption } from './config-option.ts';
import { type ExitCode, type Terminal } from './terminal.ts';

/** `proxy key …`: what can be done with a tenant's keys, whether a proxy runs or not. */
export function addKeyCommands(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  const key = program.command('key').description("a tenant's keys");
  key
    .command('create')
    .description("make a key, write its SHA-256 into the tenant's file, and print the key once")
    .argument('<tenant>', 'the tenant')
    .addOption(configOption())
    .requiredOption('--name <name>', 'what the key is called: a person, a machine')
    .option('--expires <date>', 'from then on it is refused, such as 2027-01-31')
    .action(async (tenant: string, options: { config: string; name: string; expires?: string }) => {
      const { keyCreate } = await import('./commands/key-create.ts');
      done(await keyCreate(terminal, { ...options, tenant }));
    });
  key
    .command('list')
    .description("a tenant's keys by name; never the keys themselves")
    .argument('<tenant>', 'the tenant')
    .addOption(configOption())
    .action(async (tenant: string, options: { config: string }) => {
      const { keyList } = await import('./commands/key-list.ts');
      done(await keyList(terminal, { ...options, tenant }));
    });
  key
    .command('revoke')
    .description("take a key out of the tenant's file; it is refused as soon as the proxy sees the file")
    .argument('<tenant>', 'the tenant')
    .argument('<name>', 'the key')
    .addOption(configOption())
    .action(async (tenant: string, name: string, options: { config: string }) => {
      const { keyRevoke } = await import('./commands/key-revoke.ts');
      done(await keyRevoke(terminal, { ...options, tenant, name }));
    });
}
