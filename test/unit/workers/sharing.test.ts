import { describe, expect, test } from 'vitest';
import { createWorkerKinds, modernKind, plainKind } from '../../../src/workers/kind.ts';
import { fittingWorker, mayTurnPage, roomOf, type SharingRules } from '../../../src/workers/sharing.ts';
import type { Worker } from '../../../src/workers/worker.ts';
import { someWorker } from './some-worker.ts';

const shared: SharingRules = { sharing: 'shared', concurrency: 3, isInteractive: false };
const leased: SharingRules = { sharing: 'leased', concurrency: 3, isInteractive: false };
const exclusive: SharingRules = { sharing: 'exclusive', concurrency: 3, isInteractive: false };

const askingKind = createWorkerKinds().legacy({ elicitation: {} });
const ada = (home: Worker | undefined, kind = plainKind) => ({ home, kind, caller: { keyName: 'ada' } });

test('a leased worker has room for one call, others for as many as is set', () => {
  expect([shared, leased, exclusive].map((rules) => roomOf(rules, plainKind))).toEqual([3, 1, 3]);
});

test('once a server has asked something, so has one that it may ask on, and only that', () => {
  const rules = { ...shared, isInteractive: true };
  expect([plainKind, askingKind, modernKind].map((kind) => roomOf(rules, kind))).toEqual([3, 1, 3]);
});

describe('shared', () => {
  test('a session stays where it was while there is room, even if another is emptier', () => {
    const home = someWorker(2);
    expect(fittingWorker([someWorker(0), home], ada(home), shared)).toBe(home);
  });

  test('a session whose home is full goes to the emptiest', () => {
    const home = someWorker(3);
    const emptiest = someWorker(1);
    expect(fittingWorker([home, someWorker(2), emptiest], ada(home), shared)).toBe(emptiest);
  });

  test('among equals the first', () => {
    const first = someWorker(1);
    expect(fittingWorker([first, someWorker(1)], ada(undefined), shared)).toBe(first);
  });

  test('full and closed workers fit nobody', () => {
    const closed = someWorker(0, false);
    expect(fittingWorker([closed, someWorker(3)], ada(closed), shared)).toBeUndefined();
    expect(fittingWorker([], ada(undefined), shared)).toBeUndefined();
  });
});

describe('leased', () => {
  test('a worker with one call is full, be it the home', () => {
    const home = someWorker(1);
    const free = someWorker(0);
    expect(fittingWorker([home, free], ada(home), leased)).toBe(free);
    expect(fittingWorker([home], ada(home), leased)).toBeUndefined();
  });
});

describe('a worker of another kind fits nobody', () => {
  test.each([shared, leased])('$sharing', (rules) => {
    const workers = [someWorker(0), someWorker(0, true, { kind: modernKind })];
    expect(fittingWorker(workers, ada(undefined, askingKind), rules)).toBeUndefined();
    const right = someWorker(0, true, { kind: askingKind });
    expect(fittingWorker([...workers, right], ada(workers[0], askingKind), rules)).toBe(right);
  });
});

describe('a worker that may still be at work on a call given up', () => {
  const worker = someWorker(0, true, {}, 'bob');

  test('is not leased to another key', () => {
    expect(fittingWorker([worker], ada(undefined), leased)).toBeUndefined();
    const bob = { ...ada(undefined), caller: { keyName: 'bob' } };
    expect(fittingWorker([worker], bob, leased)).toBe(worker);
  });

  test('is shared as before: nothing it says of itself is told to anybody', () => {
    expect(fittingWorker([worker], ada(undefined), shared)).toBe(worker);
  });
});

describe('exclusive', () => {
  test('only the session’s own worker, however full it is', () => {
    const home = someWorker(50);
    expect(fittingWorker([someWorker(0), home], ada(home), exclusive)).toBe(home);
  });

  test('not even its own, if it speaks the other era', () => {
    const home = someWorker(0);
    expect(fittingWorker([home], ada(home, modernKind), exclusive)).toBeUndefined();
    expect(fittingWorker([home], ada(home, askingKind), exclusive)).toBe(home);
  });

  test('never another’s', () => {
    const closed = someWorker(0, false);
    expect(fittingWorker([someWorker(0)], ada(undefined), exclusive)).toBeUndefined();
    expect(fittingWorker([someWorker(0), closed], ada(closed), exclusive)).toBeUndefined();
  });
});

describe('the page behind a cursor', () => {
  test('is asked of a busy worker too, but not of one that takes no more calls', () => {
    expect(mayTurnPage(someWorker(9), ada(undefined), shared)).toBe(true);
    expect(mayTurnPage(someWorker(0, false), ada(undefined), shared)).toBe(false);
  });

  test('is asked of nobody else`s worker where each session has one to itself', () => {
    const [own, other] = [someWorker(), someWorker()];
    expect(mayTurnPage(own, ada(own), exclusive)).toBe(true);
    expect(mayTurnPage(other, ada(own), exclusive)).toBe(false);
    expect(mayTurnPage(other, ada(undefined), exclusive)).toBe(false);
  });

  test('is asked of a leased worker only when it has no call, given up ones of others included', () => {
    expect(mayTurnPage(someWorker(0), ada(undefined), leased)).toBe(true);
    expect(mayTurnPage(someWorker(1), ada(undefined), leased)).toBe(false);
    expect(mayTurnPage(someWorker(0, true, {}, 'eve'), ada(undefined), leased)).toBe(false);
    const asking = { ...shared, isInteractive: true };
    expect(mayTurnPage(someWorker(1, true, { kind: askingKind }), ada(undefined, askingKind), asking)).toBe(
      false,
    );
  });
});
