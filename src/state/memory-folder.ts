import path from 'node:path';

/** Where the answers of a tenant's servers are remembered. No id, however it is spelled, leads out of `state`. */
export function memoryFolder(state: string, tenantId: string): string {
  return path.join(state, 'memory', `tenant-${encodeURIComponent(tenantId)}`);
}
