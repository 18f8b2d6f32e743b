import { createHmac, randomBytes } from 'node:crypto';
import path from 'node:path';
import { resolveValue } from '../secrets/resolve.ts';
import type { Secret } from '../secrets/secret.ts';
import type { TenantSecrets } from '../secrets/sources.ts';
import type { PoolSettings, ServerSpec } from '../workers/spec.ts';
import { overlaid } from '../yaml/without-defaults.ts';
import { bundledProgram, bundledServers } from './bundled-servers.ts';
import type { ServerDefinition } from './definition.ts';
import type { Complain, ReadingContext } from './reading.ts';

/** A server of a tenant, and where in the file it stands. */
export interface NamedServer {
  readonly name: string;
  readonly path: readonly string[];
  readonly server: ServerDefinition;
  /** What holds where the server does not say otherwise. */
  readonly pool: PoolSettings;
  /** Its tenant's. */
  readonly secrets: TenantSecrets;
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
    ...programOf(named, context.baseDir, complain),
    env: environmentOf(named, complain),
    cwd,
    startTimeout: server.startTimeout,
    era: server.era === 'auto' ? undefined : server.era,
    maxReply: server.maxReply,
    sandbox: sandboxOf(server, context.baseDir),
    pool: poolOf(named, complain),
  };
  return Object.freeze({ ...spec, generation: generationOf(spec, context.digestKey) });
}

function sandboxOf({ sandbox }: ServerDefinition, baseDir: string): ServerSpec['sandbox'] {
  const absolute = (files: readonly string[]) => files.map((file) => path.resolve(baseDir, file));
  return { ...sandbox, read: absolute(sandbox.read), write: absolute(sandbox.write) };
}

interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

/** Either `use` names a server that comes with the proxy, run by the node that runs us, or `command` says what to start. */
function programOf({ path: place, server }: NamedServer, baseDir: string, complain: Complain): Program {
  const { use, command, args } = server;
  if (use === undefined && command !== undefined) return { command: commandOf(command, baseDir), args };
  const program = use === undefined ? undefined : bundledProgram(use);
  if (use === undefined) {
    complain('INVALID_SETTING', place, 'Write either "command:" or "use:" with the name of a bundled server');
  } else if (command !== undefined || args.length > 0) {
    complain('INVALID_SETTING', [...place, 'use'], 'With "use:" leave out "command:" and "args:"');
  } else if (program === undefined) {
    const names = bundledServers().join(', ');
    complain(
      'INVALID_SETTING',
      [...place, 'use'],
      `There is no bundled server of this name; there are: ${names}`,
    );
  }
  return { command: process.execPath, args: program === undefined ? [] : [program] };
}

/** A bare name is looked up in PATH by the system; a path is relative to the configuration, wherever `cwd` is. */
function commandOf(command: string, baseDir: string): string {
  return command.includes('/') ? path.resolve(baseDir, command) : command;
}

function environmentOf(
  { path: place, server, secrets }: NamedServer,
  complain: Complain,
): Readonly<Record<string, Secret>> {
  const env: Record<string, Secret> = {};
  for (const [name, text] of Object.entries(server.env)) {
    const resolved = resolveValue(name, text, secrets);
    if (resolved.ok) env[name] = resolved.secret;
    else for (const { code, message } of resolved.troubles) complain(code, [...place, 'env', name], message);
  }
  return env;
}

function poolOf({ path: place, server, pool: given }: NamedServer, complain: Complain): PoolSettings {
  const pool = overlaid(given, server.pool);
  if (pool.min > pool.max) {
    complain(
      'INVALID_SETTING',
      server.pool ? [...place, 'pool'] : ['pool'],
      `pool.min is ${pool.min} and pool.max ${pool.max}, counting what is left to defaults.pool; lower the one or raise the other`,
    );
  }
  return Object.freeze(pool);
}

/** Secrets are among what is digested, and generations are shown: without this key nobody can try guesses out. */
const ownDigestKey = randomBytes(32);

/** Equal exactly if everything is equal. The order of keys means nothing, and only `env` has one that comes from the file. */
function generationOf(spec: Omit<ServerSpec, 'generation'>, digestKey: Buffer = ownDigestKey): string {
  const env = Object.entries(spec.env)
    .map(([name, secret]) => [name, secret.reveal()] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const pool = Object.entries(spec.pool).sort(([a], [b]) => (a < b ? -1 : 1));
  const canonical = JSON.stringify({ ...spec, env, pool });
  return createHmac('sha256', digestKey).update(canonical).digest('hex').slice(0, 8);
}
