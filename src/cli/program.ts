import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { version } from '../version.ts';
import { configOption } from './config-option.ts';
import { addKeyCommands } from './key-commands.ts';
import { addSecretCommands } from './secret-commands.ts';
import { type ExitCode, type Terminal } from './terminal.ts';

/** Told by a command when it is done. */
type Done = (code: ExitCode) => void;

/** Runs one command line to its end. Never throws, never exits: what happened is in the code. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = 0;
  const program = createProgram(terminal, (told) => {
    code = told;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    terminal.err(`proxy: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
    return 2;
  }
}

/** Every command, as a tree; each command's module is loaded only when it runs, so `--help` is quick. */
export function createProgram(terminal: Terminal, done: Done): Command {
  const program = new Command('proxy')
    .description('One shared MCP URL for many teams: each tenant has its own server processes behind it.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        terminal.out(text);
      },
      writeErr: (text) => {
        terminal.err(text);
      },
    })
    .showHelpAfterError('(add --help for what can be said)');
  addServe(program, terminal, done);
  addWatching(program, terminal, done);
  addActions(program, terminal, done);
  addKeyCommands(program, terminal, done);
  addSecretCommands(program, terminal, done);
  addTenantCommands(program, terminal, done);
  addServer(program, terminal, done);
  return program;
}

interface ConfigOptions {
  readonly config: string;
}

function addServe(program: Command, terminal: Terminal, done: Done): void {
  program
    .command('serve')
    .description('run the proxy until it is told to stop')
    .addOption(configOption())
    .option('--welcome', 'make a first key for every tenant without one and print what to paste into clients')
    .option('--port <number>', 'listen on this port instead of listen.port', portNumber)
    .option('--host <address>', 'listen on this address instead of listen.host')
    .action(async (options: ConfigOptions & { welcome?: boolean; port?: number; host?: string }) => {
      const { serve } = await import('./commands/serve.ts');
      done(await serve(terminal, options));
    });
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('Write a port between 0 and 65535.');
}

function addWatching(program: Command, terminal: Terminal, done: Done): void {
  program
    .command('status')
    .description('what a running proxy is doing')
    .argument('[tenant]', 'only this tenant')
    .addOption(configOption())
    .option('--json', 'the whole document, for programs')
    .option('--watch', 'again every second, until Ctrl-C')
    .action(
      async (tenant: string | undefined, options: ConfigOptions & { json?: boolean; watch?: boolean }) => {
        const { status } = await import('./commands/status.ts');
        done(await status(terminal, { ...options, tenant }));
      },
    );
  program
    .command('check')
    .description('read the configuration and every tenant, start nothing, and say every problem')
    .addOption(configOption())
    .option('--json', 'as a document, for programs')
    .option('--strict', 'warnings count as problems do: for pipelines')
    .option('--isolation', 'let a hostile server try the wall that is in force here, and say what it reached')
    .action(async (options: ConfigOptions & { json?: boolean; strict?: boolean; isolation?: boolean }) => {
      if (options.isolation === true) {
        const { isolationCheck } = await import('./commands/isolation-check.ts');
        return done(await isolationCheck(terminal, options));
      }
      const { check } = await import('./commands/check.ts');
      done(await check(terminal, options));
    });
}

function addActions(program: Command, terminal: Terminal, done: Done): void {
  program
    .command('reload')
    .description('look at the tenants folder now')
    .addOption(configOption())
    .action(async (options: ConfigOptions) => {
      const { reload } = await import('./commands/reload.ts');
      done(await reload(terminal, options));
    });
  program
    .command('restart')
    .description('give a tenant new workers; the old ones finish what they are doing')
    .argument('<tenant>', 'the tenant')
    .addOption(configOption())
    .action(async (tenant: string, options: ConfigOptions) => {
      const { restart } = await import('./commands/restart.ts');
      done(await restart(terminal, { ...options, tenant }));
    });
  program
    .command('reap')
    .description('end idle workers now')
    .argument('[tenant]', 'only this tenant')
    .addOption(configOption())
    .action(async (tenant: string | undefined, options: ConfigOptions) => {
      const { reap } = await import('./commands/reap.ts');
      done(await reap(terminal, { ...options, tenant }));
    });
}

function addTenantCommands(program: Command, terminal: Terminal, done: Done): void {
  const tenant = program.command('tenant').description('the tenants in the folder');
  tenant
    .command('list')
    .description('every tenant in the folder, whether a proxy runs or not')
    .addOption(configOption())
    .action(async (options: ConfigOptions) => {
      const { tenantList } = await import('./commands/tenant-list.ts');
      done(await tenantList(terminal, options));
    });
  program
    .command('client-config')
    .description('what to paste into a client to reach a tenant')
    .argument('<tenant>', 'the tenant')
    .addOption(configOption())
    .option('--key <key>', 'the key to put in; a placeholder without it')
    .option('--url <url>', 'the URL clients use, where it is not the one the proxy listens on')
    .action(async (id: string, options: ConfigOptions & { key?: string; url?: string }) => {
      const { clientConfig } = await import('./commands/client-config.ts');
      done(await clientConfig(terminal, { ...options, tenant: id }));
    });
}

function addServer(program: Command, terminal: Terminal, done: Done): void {
  program
    .command('server')
    .description(
      'run a server that comes with the proxy, alone, on stdin and stdout; without a name, list them',
    )
    .argument('[name]', 'the server')
    .action(async (name: string | undefined) => {
      const { server } = await import('./commands/server.ts');
      done(await server(terminal, name));
    });
}
