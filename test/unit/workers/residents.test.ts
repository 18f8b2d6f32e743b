import { expect, test } from 'vitest';
import { modernKind, plainKind } from '../../../src/workers/kind.ts';
import { giveHome, type Resident } from '../../../src/workers/residents.ts';
import type { Worker } from '../../../src/workers/worker.ts';
import { someWorker } from './some-worker.ts';

const resident = (home?: Worker, kind = plainKind) => ({ home, kind }) as Resident;

/** Where the session lives after a home was looked for among these. */
function homeOf(session: Resident, ...workers: Worker[]): Worker | undefined {
  giveHome(session, new Set(workers), 'shared');
  return session.home;
}

test('a session without a home gets the emptiest worker, among equals the first', () => {
  const [full, first, second] = [someWorker(2), someWorker(1), someWorker(1)];
  expect(homeOf(resident(), full, first, second)).toBe(first);
  expect(homeOf(resident(), first, someWorker(0))).not.toBe(first);
});

test('a session stays at home while that is one of the workers, however full', () => {
  const home = someWorker(5);
  expect(homeOf(resident(home), someWorker(0), home)).toBe(home);
  const other = someWorker(0);
  expect(homeOf(resident(home), other)).toBe(other);
});

test('a home of another kind is none', () => {
  const home = someWorker(0, true, { kind: modernKind });
  const right = someWorker(3);
  expect(homeOf(resident(home), home, right)).toBe(right);
});

test('closed workers, and those of another kind, are nobody’s home', () => {
  const gone = someWorker(0);
  const unfit = [someWorker(0, false), someWorker(0, true, { kind: modernKind })];
  expect(homeOf(resident(gone), ...unfit)).toBeUndefined();
});

test('where each session has a worker of its own none is given', () => {
  const session = resident();
  giveHome(session, new Set([someWorker(0)]), 'exclusive');
  expect(session.home).toBeUndefined();
});
