import { describe, expect, test } from 'vitest';
import { createWorkerKinds, modernKind, plainKind, type WorkerKind } from '../../../src/workers/kind.ts';
import { makePlace } from '../../../src/workers/make-place.ts';
import type { Worker, WorkerState } from '../../../src/workers/worker.ts';

const askingKind = createWorkerKinds().legacy({ elicitation: {} });

/** A worker that runs no process: only what decides whether it has to go. */
function worker(state: WorkerState, kind: WorkerKind = plainKind, inFlight = 1, liveTasks: string[] = []) {
  const told: string[] = [];
  const seen = {
    liveTasks: new Set(liveTasks),
    state,
    kind,
    inFlight,
    stop: () => told.push('stop'),
    drain: () => told.push('drain'),
  };
  return { told, seen: seen as unknown as Worker };
}
const placeAmong = (
  workers: readonly ReturnType<typeof worker>[],
  kind = modernKind,
  useless: readonly ReturnType<typeof worker>[] = [],
) => ({
  isMade: makePlace(
    workers.map(({ seen }) => seen),
    kind,
    (each) => useless.some(({ seen }) => seen === each),
  ),
  told: workers.map(({ told }) => told.join()),
});

describe('for calls of a kind that has no worker', () => {
  test('an idle worker leaves, and no other', () => {
    expect(placeAmong([worker('busy'), worker('idle'), worker('idle', askingKind)])).toEqual({
      isMade: true,
      told: ['', 'stop', ''],
    });
  });

  test('if all are busy, the one with the fewest calls finishes them and leaves', () => {
    expect(
      placeAmong([worker('busy', plainKind, 3), worker('busy', askingKind, 1), worker('busy', plainKind, 2)]),
    ).toEqual({
      isMade: true,
      told: ['', 'drain', ''],
    });
  });

  test.each(['starting', 'draining', 'stopping', 'gone'] as const)(
    'one that is %s makes no place',
    (state) => {
      expect(placeAmong([worker(state)])).toEqual({ isMade: false, told: [''] });
      expect(placeAmong([])).toEqual({ isMade: false, told: [] });
    },
  );
});

test('an idle worker that is still at a task does not leave', () => {
  expect(placeAmong([worker('idle', plainKind, 0, ['t1']), worker('idle')])).toEqual({
    isMade: true,
    told: ['', 'stop'],
  });
  expect(placeAmong([worker('idle', plainKind, 0, ['t1'])])).toEqual({ isMade: false, told: [''] });
});

describe('for calls of a kind that has one', () => {
  test('nobody has to leave: they wait for their turn', () => {
    expect(placeAmong([worker('busy', modernKind), worker('busy', plainKind)])).toEqual({
      isMade: false,
      told: ['', ''],
    });
  });

  test('but an idle one that is of no use to them', () => {
    expect(placeAmong([worker('busy', modernKind), worker('idle', plainKind)])).toEqual({
      isMade: true,
      told: ['', 'stop'],
    });
  });
});

describe('for calls that none of their kind may take', () => {
  const [bound, other] = [() => worker('busy', modernKind, 2), () => worker('busy', plainKind, 1)];

  test('one of those finishes its calls and leaves, and none of another kind', () => {
    const workers = [other(), bound()];
    expect(placeAmong(workers, modernKind, workers.slice(1))).toEqual({ isMade: true, told: ['', 'drain'] });
  });

  test('unless one of the kind is only busy', () => {
    const workers = [bound(), bound()];
    expect(placeAmong(workers, modernKind, workers.slice(1))).toEqual({ isMade: false, told: ['', ''] });
  });
});
