import { fileURLToPath } from 'node:url';
import { Secret } from '../../../src/secrets/secret.ts';
import { type ServerSpec, poolSettings } from '../../../src/workers/spec.ts';
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
    maxReply: 1024 * 1024,
    pool: somePool(),
    generation: '00000000',
    ...own,
  };
}

/** A worker that runs no process: only what decides who gets it. */
export function someWorker(inFlight = 0, isOpen = true): Worker {
  const worker = Object.create(Worker.prototype) as Worker;
  return Object.defineProperties(worker, { inFlight: { value: inFlight }, isOpen: { value: isOpen } });
}
