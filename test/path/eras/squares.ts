import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningProxy, startProxy, tenantYaml } from '../../support/start-proxy.ts';
import { type Cell, eras, nameOf, type Sharing, sharings, type WorkerKind } from './cell.ts';
import { expectedIn, play, rowsOf } from './matrix.ts';
import { type Door, type Generation, openStage } from './stage.ts';

interface Play {
  readonly cell: Cell & { readonly way: Sharing };
  readonly generation: Generation;
  /** A tenant of its own, so that squares played at the same time cannot help or hinder one another. */
  readonly tenant: string;
}

/**
 * Every square has the client that most people have; where sharing is as it comes, each client there is. A server of both
 * eras is spoken to in its client's, so that the others are played with the servers of one.
 */
function generationsOf({ client, worker, way }: Cell): readonly Generation[] {
  const isEach = way === 'shared' && worker !== 'dual';
  if (client === 'legacy') return isEach ? ['sdk 1.x', 'sdk 2.x default'] : ['sdk 1.x'];
  return isEach ? ['sdk 2.x pinned', 'sdk 2.x auto'] : ['sdk 2.x pinned'];
}

function playsOf(worker: WorkerKind): readonly Play[] {
  const cells = eras.flatMap((client) => sharings.map((way) => ({ client, worker, way })));
  return cells.flatMap((cell) =>
    generationsOf(cell).map((generation) => ({
      cell,
      generation,
      tenant: `${cell.client}-${cell.way}-${generation.replaceAll(/[^a-z0-9]/g, '-')}`,
    })),
  );
}

const newKey = () => `mcpx_test_${randomBytes(32).toString('hex')}`;

function tenantOf({ cell, tenant }: Play, keys: readonly string[]): string {
  const written = keys.map((key, at) => {
    const sha256 = createHash('sha256').update(key).digest('hex');
    return `{ name: key-${at}, sha256: ${sha256} }`;
  });
  const pool = `pool: { sharing: ${cell.way}, max: 8 }`;
  return tenantYaml(tenant, `${cell.worker}-everything`, `keys: [${written.join(', ')}]\n${pool}`);
}

/** All squares of one kind of worker, at the same time on one proxy; then what each row came to, one by one. */
export function describeSquares(worker: WorkerKind): void {
  const plays = playsOf(worker);
  let proxy: RunningProxy;
  let seen: readonly ReadonlyMap<string, unknown>[] = [];

  beforeAll(async () => {
    const keys = plays.map((): Door['keys'] => [newKey(), newKey()]);
    const tenants = plays.map((one, at) => [one.tenant, tenantOf(one, keys[at]!)] as const);
    // A machine that stands still for a second must not change what is observed.
    proxy = await startProxy({
      tenants: Object.fromEntries(tenants),
      config: 'limits: { loopDelay: 0s }',
    });
    seen = await Promise.all(
      plays.map(({ cell, generation }, at) =>
        play(() => openStage(cell, generation, { url: proxy.url, keys: keys[at]! }), cell),
      ),
    );
  }, 180_000);
  afterAll(() => proxy.stop());

  describe.each(plays.map((one, at) => ({ ...one, at, name: nameOf(one.cell) })))(
    '$name, $generation',
    ({ cell, at }) => {
      test.each(rowsOf(cell))('$kind', (row) => {
        expect(seen[at]?.get(row.kind)).toEqual(expectedIn(cell, row));
      });
    },
  );
}
