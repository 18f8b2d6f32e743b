import { createProxy } from '../../app.ts';
import { type Config } from '../../config/load-config.ts';
import { hostWords } from '../../config/on-this-machine.ts';
import { readConfig } from '../read-config.ts';
import { endOnFault, untilSignalled } from '../signals.ts';
import { type ExitCode, type Terminal } from '../terminal.ts';

interface ServeOptions {
  readonly config: string;
  readonly welcome?: boolean;
  readonly port?: number;
  readonly host?: string;
}

/** Runs until it is told to stop; then nothing of it is left. */
export async function serve(terminal: Terminal, options: ServeOptions): Promise<ExitCode> {
  const written = readConfig(terminal, options.config);
  if (written === undefined) return 1;
  const config = withOverrides(written, options);
  const proxy = createProxy(config);
  endOnFault((stack) => proxy.kill(stack));
  let url: string;
  try {
    ({ url } = await proxy.start());
  } catch (thrown) {
    terminal.err(`proxy: ${whyNotStarted(thrown, config)}\n`);
    return 2;
  }
  if (options.welcome === true) {
    const { welcome } = await import('../welcome.ts');
    await welcome(terminal, { config, url, reload: () => proxy.reload() });
  }
  let cutCalls = 0;
  await untilSignalled({
    stop: async (signal) => {
      ({ cutCalls } = await proxy.stop(signal));
    },
    kill: () => {
      proxy.kill();
    },
  });
  return cutCalls > 0 ? 1 : 0;
}

function withOverrides(config: Config, { port, host }: ServeOptions): Config {
  const listen = { ...config.listen, port: port ?? config.listen.port, host: host ?? config.listen.host };
  return { ...config, listen };
}

function whyNotStarted(thrown: unknown, { listen }: Config): string {
  const { code, message } = thrown as { code?: string; message?: string };
  const where = `${listen.host}:${listen.port}`;
  if (code === 'EADDRINUSE') {
    return `${where} is in use by another program; stop it, or take another port with --port or listen.port`;
  }
  if (code === 'EACCES') return `no permission to listen on ${where}; ports below 1024 are for root`;
  return hostWords(listen.host, code) ?? message ?? String(thrown);
}
