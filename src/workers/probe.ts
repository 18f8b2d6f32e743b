import type { Era } from '../mcp/versions.ts';
import { modernKind } from './kind.ts';
import type { Pool } from './pool.ts';
import { StartFailure, startWorker } from './start-worker.ts';

/** How long a server that says nothing is waited for, in milliseconds; then it is taken for a legacy one. */
const silenceMs = 10_000;

/**
 * Ask a server whether it speaks the modern era, in a process that serves nobody else: some legacy servers end at the
 * first request that is not `initialize`, others never answer it (2026-07-28 basic/transports/stdio, "Backward
 * Compatibility"). A process that says yes is kept as a worker.
 */
export async function probe(pool: Pool): Promise<void> {
  const { start, eras } = pool;
  const spec = { ...start.spec, startTimeout: Math.min(start.spec.startTimeout, silenceMs) };
  const found = (era: Era) => {
    eras.learned('modern', era === 'modern');
    start.tools.announce({ type: 'server.probed', tenantId: start.tenantId, server: spec.name, era });
  };
  const wish = { kind: modernKind, own: undefined, isWanted: () => !pool.isRetired };
  try {
    const worker = await startWorker({ ...start, spec, isProbe: true }, wish);
    if (!worker) return;
    found('modern');
    pool.adopt(worker);
  } catch (thrown) {
    if (thrown instanceof StartFailure && thrown.permanent) return;
    found('legacy');
  }
}
