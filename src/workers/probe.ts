import type { Era } from '../mcp/versions.ts';
import { modernKind } from './kind.ts';
import type { Pool } from './pool.ts';
import { StartFailure, startWorker } from './start-worker.ts';

/**
 * Ask a server whether it speaks the modern era, in a process that serves nobody else: some legacy servers end at the
 * first request that is not `initialize`, others never answer it (2026-07-28 basic/transports/stdio, "Backward
 * Compatibility"). A process that says yes is kept as a worker. How long a silent one is waited for depends on how long
 * its server takes to start.
 */
export async function probe(pool: Pool): Promise<void> {
  const { start, eras } = pool;
  const spec = { ...start.spec, startTimeout: Math.min(start.spec.startTimeout, eras.patienceMs) };
  const found = (era: Era) => {
    start.tools.announce({ type: 'server.probed', tenantId: start.tenantId, server: spec.name, era });
  };
  const wish = { kind: modernKind, own: undefined, isWanted: () => !pool.isRetired };
  try {
    const worker = await startWorker({ ...start, spec, isProbe: true }, wish);
    if (!worker) return;
    eras.learned('modern', true);
    found('modern');
    pool.adopt(worker);
  } catch (thrown) {
    if (thrown instanceof StartFailure && thrown.permanent) return;
    // Nobody is given longer than that to start, so it has answered in its way.
    const mayBeSlow = spec.startTimeout < start.spec.startTimeout;
    if (mayBeSlow && thrown instanceof StartFailure && thrown.isSilence) eras.unanswered(spec.startTimeout);
    else eras.learned('modern', false);
    found('legacy');
  }
}
