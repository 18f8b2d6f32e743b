import type { Config } from '../config/config.ts';
import type { ServerSpec } from '../workers/spec.ts';
import { commandTrouble, type ServerTrouble } from './find-command.ts';

/** Why a server that is to have no network, or a list of hosts, would not be started here, as far as it can be seen without starting anything; or undefined. */
export function networkTrouble(
  { sandbox }: Pick<ServerSpec, 'sandbox'>,
  { workers, folder }: Pick<Config, 'workers' | 'folder'>,
): ServerTrouble | undefined {
  if (sandbox.network === 'shared') return undefined;
  const asked = sandbox.network === 'none' ? 'is none' : 'has an allow-list';
  const needs = `sandbox.network ${asked}, which needs bubblewrap`;
  const told = (why: string) => ({ key: 'sandbox' as const, message: `${needs}, ${why}` });
  if (workers.isolation === 'none') return told('and workers.isolation is none');
  const isThere = commandTrouble({ command: 'bwrap', cwd: folder, env: {} }) === undefined;
  return isThere
    ? undefined
    : told('which is not installed: apt-get install bubblewrap, or dnf, apk, pacman');
}
