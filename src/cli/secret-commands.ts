import { type Command } from 'commander';
import { configOption } from './config-option.ts';
import { type ExitCode, type Terminal } from './terminal.ts';

const setHelp = `
The value comes from stdin, never from the command line, which every user of the machine can read:
  printf %s "$TOKEN" | proxy secret set acme API_TOKEN     one line end at its end is left out
  proxy secret set acme TLS_KEY < key.pem
  proxy secret set acme API_TOKEN                          asks, and does not show what is typed
In tenants/acme.yaml it is then \${vault:API_TOKEN}. A proxy that runs gives it to new workers at once; calls in
flight finish with the old ones.`;

const rotateHelp = `
With secrets.masterKey.file:    proxy secret rotate --new-key      makes, uses and keeps a new master key
With a variable or a command:   let it give the new key and the old one, the new one first, each on a line of its
                                own; run proxy secret rotate; then take the old one away.
A proxy that runs reads the new key when it needs it, and no worker is replaced: the values are the same.`;

/** `proxy secret …`: the vault, whether a proxy runs or not. */
export function addSecretCommands(
  program: Command,
  terminal: Terminal,
  done: (code: ExitCode) => void,
): void {
  const secret = program.command('secret').description("tenants' secrets in the encrypted vault");
  secret
    .command('set')
    .description('put a secret into the vault; its value comes from stdin')
    .argument('<tenant>', 'whose it is')
    .argument('<name>', 'what ${vault:NAME} calls it')
    .addOption(configOption())
    .addHelpText('after', setHelp)
    .action(async (tenant: string, name: string, options: { config: string }) => {
      const { secretSet } = await import('./commands/secret-set.ts');
      done(await secretSet(terminal, { ...options, tenant, name }, process.stdin));
    });
  secret
    .command('list')
    .description('which secrets there are; never what they are')
    .argument('[tenant]', 'only this tenant')
    .addOption(configOption())
    .option('--json', 'as a document, for programs')
    .action(async (tenant: string | undefined, options: { config: string; json?: boolean }) => {
      const { secretList } = await import('./commands/secret-list.ts');
      done(await secretList(terminal, { ...options, tenant }));
    });
  secret
    .command('rm')
    .description('take a secret out of the vault')
    .argument('<tenant>', 'whose it is')
    .argument('<name>', 'what it is called')
    .addOption(configOption())
    .action(async (tenant: string, name: string, options: { config: string }) => {
      const { secretRm } = await import('./commands/secret-rm.ts');
      done(await secretRm(terminal, { ...options, tenant, name }));
    });
  secret
    .command('rotate')
    .description('seal every secret anew with the newest master key, while the proxy serves')
    .addOption(configOption())
    .option('--new-key', 'make a new master key first; for a key that is kept in a file')
    .addHelpText('after', rotateHelp)
    .action(async (options: { config: string; newKey?: boolean }) => {
      const { secretRotate } = await import('./commands/secret-rotate.ts');
      done(await secretRotate(terminal, options));
    });
}
