import type { Config } from '../config/config.ts';
import type { ServerSpec } from '../workers/spec.ts';
import { commandTrouble, type ServerTrouble } from './find-command.ts';

/** Why a server that has an allow-list would not be started here, as far as it can be seen without starting anything; or undefined. */
export function networkTrouble(
  { sandbox }: Pick<ServerSpec, 'sandbox'>,
  { workers, folder }: Pick<Config, 'workers' | 'folder'>,
): ServerTrouble | undefined {
  if (typeof sandbox.network === 'string') return undefined;
  const needs = 'sandbox.network has an allow-list, which needs bubblewrap';
  const told = (why: string) => ({ key: 'sandbox' as const, message: `${needs}, ${why}` });
  if (workers.isolation === 'none') return told('and workers.isolation is none');
  const isThere = commandTrouble({ command: 'bwrap', cwd: folder, env: {} }) === undefined;
  return isThere
    ? undefined
    : told('which is not installed: apt-get install bubblewrap, or dnf, apk, pacman');
}
