import { beforeAll, describe, expect, test } from 'vitest';
import { type Cell, eras, nameOf, workerKinds } from './cell.ts';
import { expectedIn, play, rowsOf } from './matrix.ts';
import { type Generation, openDirectStage } from './stage.ts';

/** What the matrix takes for whole is what a client sees that has the server to itself: nothing of it is wishful. */
const squares = eras.flatMap((client) =>
  workerKinds
    .filter((worker) => worker === 'dual' || worker === client)
    .map((worker): Cell => ({ client, worker, way: 'direct' })),
);
const generationsOf = ({ client }: Cell): readonly Generation[] =>
  client === 'legacy' ? ['sdk 1.x', 'sdk 2.x default'] : ['sdk 2.x pinned'];

const plays = squares.flatMap((cell) =>
  generationsOf(cell).map((generation) => ({ cell, generation, name: nameOf(cell) })),
);

let seen: readonly ReadonlyMap<string, unknown>[];
beforeAll(async () => {
  seen = await Promise.all(
    plays.map(({ cell, generation }) => play(() => openDirectStage(cell, generation), cell)),
  );
}, 120_000);

describe.each(plays.map((one, at) => ({ ...one, at })))('$name, $generation', ({ cell, at }) => {
  test.each(rowsOf(cell))('$kind', (row) => {
    expect(seen[at]!.get(row.kind)).toEqual(expectedIn(cell, row));
  });
});
