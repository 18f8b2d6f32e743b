import { parseReferences } from '../../secrets/references.ts';
import type { Problem, Warning } from '../../yaml/problem.ts';
import { readYaml } from '../../yaml/read-yaml.ts';
import { type ServerDefinition, tenantDefinition, type TenantDefinition } from '../definition.ts';
import { type Ground, type Sight, warnOfUnseenPaths, warnOfWideFolders } from './sandbox-warnings.ts';
import { warnOfServer } from './server-warnings.ts';
import type { Warn } from './warn.ts';

/** A tenant's file that was read. */
interface ReadDefinition {
  readonly file: Problem['file'];
  readonly value: TenantDefinition;
  readonly placeOf: (path: readonly PropertyKey[]) => Pick<Problem, 'line' | 'column'>;
}

/** What an operator would rather not have in a tenant's file. Of one that is broken nothing: that comes first. */
export function warningsIn(text: string, file: Problem['file'], ground: Ground & Sight): readonly Warning[] {
  const read = readYaml(text, file, tenantDefinition);
  if (!read.ok) return [];
  return warningsOf({ file, ...read }, (server, warn) => {
    warnOfServer(server, warn);
    warnOfUnseenPaths(server, ground, warn);
    warnOfWideFolders(server, ground, warn);
  });
}

/** What is worth a word when a tenant comes into force: what its servers were promised and cannot see. */
export function unseenPathsIn(read: ReadDefinition, sight: Sight): readonly Warning[] {
  if (!read.value.enabled) return [];
  return warningsOf(read, (server, warn) => warnOfUnseenPaths(server, sight, warn));
}

function warningsOf(
  { file, value, placeOf }: ReadDefinition,
  look: (server: ServerDefinition, warn: Warn) => void,
): Warning[] {
  const warnings: Warning[] = [];
  for (const { path, server } of serversIn(value)) {
    look(server, (code, below, message) => {
      warnings.push({ file, ...placeOf([...path, ...below]), code, message });
    });
  }
  return warnings;
}

/** The files that a tenant's secrets are mounted as, as they are written. */
export function mountedFilesIn(text: string): readonly string[] {
  const read = readYaml(text, '', tenantDefinition);
  if (!read.ok) return [];
  return serversIn(read.value)
    .flatMap(({ server }) => Object.values(server.env))
    .flatMap((value) => parseReferences(value) ?? [])
    .flatMap((piece) => (piece.kind === 'file' ? [piece.path] : []));
}

/** Where in a tenant's file a server's setting stands; undefined if the text is not what it was. */
export function placeOfServer(
  text: string,
  server: string,
  key: keyof ServerDefinition,
): Pick<Problem, 'line' | 'column'> | undefined {
  const read = readYaml(text, '', tenantDefinition);
  if (!read.ok) return undefined;
  const found = serversIn(read.value).find(({ name }) => name === server);
  return found && read.placeOf([...found.path, key]);
}

function serversIn({ server, servers = {} }: TenantDefinition) {
  const named = Object.entries(servers).map(([name, each]) => ({
    ...{ name, path: ['servers', name], server: each },
  }));
  return server ? [{ name: 'default', path: ['server'], server }, ...named] : named;
}
