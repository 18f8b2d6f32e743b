import { createHmac, randomBytes } from 'node:crypto';
import path from 'node:path';
import { resolveVariables } from '../secrets/variables.ts';
import type { PoolSettings, ServerSpec } from '../workers/spec.ts';
import { overlaid } from '../yaml/without-defaults.ts';
import type { ServerDefinition } from './definition.ts';
import type { Complain, ReadingContext } from './reading.ts';

/** A server of a tenant, and where in the file it stands. */
export interface NamedServer {
  readonly name: string;
  readonly path: readonly string[];
  readonly server: ServerDefinition;
  /** What holds where the server does not say otherwise. */
  readonly pool: PoolSettings;
}

/** A server's definition made ready to be started: variables filled in, paths absolute. */
export function createServerSpec(
  named: NamedServer,
  context: ReadingContext,
  complain: Complain,
): ServerSpec {
  const { name, server } = named;
  const cwd = path.resolve(context.baseDir, server.cwd ?? '.');
  const spec = {
    name,
    command: commandOf(server.command, context.baseDir),
    args: server.args,
    env: environmentOf(named, context, complain),
    cwd,
    startTimeout: server.startTimeout,
    maxReply: server.maxReply,
    pool: poolOf(named, complain),
  };
  return Object.freeze({ ...spec, generation: generationOf(spec) });
}

/** A bare name is looked up in PATH by the system; a path is relative to the configuration, wherever `cwd` is. */
function commandOf(command: string, baseDir: string): string {
  return command.includes('/') ? path.resolve(baseDir, command) : command;
}

function environmentOf(
  { path: place, server }: NamedServer,
  { lookup }: ReadingContext,
  complain: Complain,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, text] of Object.entries(server.env)) {
    const resolved = resolveVariables(text, lookup);
    if (resolved.ok) {
      env[name] = resolved.value;
    } else if (resolved.names.length > 0) {
      const names = resolved.names.join(', ');
      const message = `${names} is not set where the proxy runs; set it, or write a default: \${NAME:default}`;
      complain('MISSING_VARIABLE', [...place, 'env', name], message);
    } else {
      const message = `env.${name}: write \${NAME} or \${NAME:default}; for a plain "\${" write "$\${"`;
      complain('INVALID_SETTING', [...place, 'env', name], message);
    }
  }
  return env;
}

function poolOf({ path: place, server, pool: given }: NamedServer, complain: Complain): PoolSettings {
  const pool = overlaid(given, server.pool);
  if (pool.min > pool.max) {
    complain(
      'INVALID_SETTING',
      server.pool ? [...place, 'pool'] : ['pool'],
      'pool.min is more than pool.max',
    );
  }
  return Object.freeze(pool);
}

/** Secrets are among what is digested, and generations are shown: without this key nobody can try guesses out. */
const digestKey = randomBytes(32);

/** Equal exactly if everything is equal. The order of keys means nothing, and only `env` has one that comes from the file. */
function generationOf(spec: Omit<ServerSpec, 'generation'>): string {
  const env = Object.entries(spec.env).sort(([a], [b]) => (a < b ? -1 : 1));
  const pool = Object.entries(spec.pool).sort(([a], [b]) => (a < b ? -1 : 1));
  const canonical = JSON.stringify({ ...spec, env, pool });
  return createHmac('sha256', digestKey).update(canonical).digest('hex').slice(0, 8);
}
