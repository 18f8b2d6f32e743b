import path from 'node:path';
import { z } from 'zod';
import { duration } from '../yaml/duration.ts';
import type { MasterKeySource } from './vault/master-key-source.ts';

const masterKey = z
  .strictObject({
    file: z.string().min(1).optional(),
    env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'write the name of a variable, never the key itself')
      .optional(),
    command: z.array(z.string()).min(1).optional(),
  })
  .refine(
    (source) => Object.values(source).filter((value) => value !== undefined).length <= 1,
    'write only one of file, env and command',
  );

/** `secrets:` in proxy.config.yaml. */
export const secretsShape = {
  /** The folder of encrypted secrets. */
  vault: z.string().min(1).default('./.proxy/vault'),
  masterKey: masterKey.prefault({}),
  /** How long the master key stays in memory after it was fetched. */
  cache: duration(0).default(300_000),
};

/** Beside the state of the proxy, so that a first secret needs no preparation. */
const defaultKeyFile = './.proxy/master.key';

/** Where the master key is; `folder` is what relative paths start from. */
export function masterKeySource(
  { file, env, command }: z.output<typeof masterKey>,
  folder: string,
): MasterKeySource {
  if (env !== undefined) return { env };
  const [program, ...args] = command ?? [];
  if (program === undefined) return { file: path.resolve(folder, file ?? defaultKeyFile) };
  return { command: [program.includes('/') ? path.resolve(folder, program) : program, ...args] };
}
