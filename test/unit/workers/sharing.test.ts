import { describe, expect, test } from 'vitest';
import { fittingWorker, roomOf } from '../../../src/workers/sharing.ts';
import { somePool, someWorker } from './some-worker.ts';

const shared = somePool({ sharing: 'shared', concurrency: 3 });
const leased = somePool({ sharing: 'leased', concurrency: 3 });
const exclusive = somePool({ sharing: 'exclusive', concurrency: 3 });

test('a leased worker has room for one call, others for as many as is set', () => {
  expect([shared, leased, exclusive].map(roomOf)).toEqual([3, 1, 3]);
});

describe('shared', () => {
  test('a session stays where it was while there is room, even if another is emptier', () => {
    const home = someWorker(2);
    expect(fittingWorker([someWorker(0), home], home, shared)).toBe(home);
  });

  test('a session whose home is full goes to the emptiest', () => {
    const home = someWorker(3);
    const emptiest = someWorker(1);
    expect(fittingWorker([home, someWorker(2), emptiest], home, shared)).toBe(emptiest);
  });

  test('among equals the first', () => {
    const first = someWorker(1);
    expect(fittingWorker([first, someWorker(1)], undefined, shared)).toBe(first);
  });

  test('full and closed workers fit nobody', () => {
    const closed = someWorker(0, false);
    expect(fittingWorker([closed, someWorker(3)], closed, shared)).toBeUndefined();
    expect(fittingWorker([], undefined, shared)).toBeUndefined();
  });
});

describe('leased', () => {
  test('a worker with one call is full, be it the home', () => {
    const home = someWorker(1);
    const free = someWorker(0);
    expect(fittingWorker([home, free], home, leased)).toBe(free);
    expect(fittingWorker([home], home, leased)).toBeUndefined();
  });
});

describe('exclusive', () => {
  test('only the session’s own worker, however full it is', () => {
    const home = someWorker(50);
    expect(fittingWorker([someWorker(0), home], home, exclusive)).toBe(home);
  });

  test('never another’s', () => {
    const closed = someWorker(0, false);
    expect(fittingWorker([someWorker(0)], undefined, exclusive)).toBeUndefined();
    expect(fittingWorker([someWorker(0), closed], closed, exclusive)).toBeUndefined();
  });
});
