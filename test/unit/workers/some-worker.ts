import { fileURLToPath } from 'node:url';
import { Secret } from '../../../src/secrets/secret.ts';
import { plainKind, type WorkerKind } from '../../../src/workers/kind.ts';
import { type ServerSpec, poolSettings } from '../../../src/workers/spec.ts';
import { sandboxSettings } from '../../../src/workers/sandbox/settings.ts';
import { Worker } from '../../../src/workers/worker.ts';

/** The settings of a tenant that writes none, unless `own` says otherwise. */
export const somePool = (own: object = {}) => poolSettings.parse(own);

/** A server's variables as a spec has them. */
export const secrets = (values: Readonly<Record<string, string>>): ServerSpec['env'] =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, new Secret(value)]));

/** A server that runs `args` with this Node. */
export function someSpec(args: readonly string[], own: Partial<ServerSpec> = {}): ServerSpec {
  return {
    name: 'default',
    command: process.execPath,
    args,
    env: {},
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    startTimeout: 30_000,
    era: undefined,
    maxReply: 1024 * 1024,
    sandbox: sandboxSettings.parse({}),
    pool: somePool(),
    generation: '00000000',
    ...own,
  };
}

/** A worker that runs no process: only what decides who gets it. */
export function someWorker(
  inFlight = 0,
  isOpen = true,
  own: { kind?: WorkerKind } = {},
  unansweredOf?: string,
): Worker {
  const worker = Object.create(Worker.prototype) as Worker;
  const facts = {
    kind: plainKind,
    talk: { unansweredOf },
    liveTasks: new Set(),
    ...own,
    inFlight,
    occupied: inFlight,
    isOpen,
  };
  return Object.defineProperties(
    worker,
    Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, { value }])),
  );
}
