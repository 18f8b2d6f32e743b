import { parseReferences } from '../../secrets/references.ts';
import type { Problem, Warning } from '../../yaml/problem.ts';
import { readYaml } from '../../yaml/read-yaml.ts';
import { tenantDefinition, type TenantDefinition } from '../definition.ts';
import { type Warn, warnOfServer } from './server-warnings.ts';

/** What an operator would rather not have in a tenant's file. Of one that is broken nothing: that comes first. */
export function warningsIn(text: string, file: Problem['file']): readonly Warning[] {
  const read = readYaml(text, file, tenantDefinition);
  if (!read.ok) return [];
  const warnings: Warning[] = [];
  for (const { path, server } of serversIn(read.value)) {
    const warn: Warn = (code, below, message) => {
      warnings.push({ file, ...read.placeOf([...path, ...below]), code, message });
    };
    warnOfServer(server, warn);
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

function serversIn({ server, servers = {} }: TenantDefinition) {
  const named = Object.entries(servers).map(([name, each]) => ({ path: ['servers', name], server: each }));
  return server ? [{ path: ['server'], server }, ...named] : named;
}
