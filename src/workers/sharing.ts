import type { WorkerKind } from './kind.ts';
import type { PoolSettings } from './spec.ts';
import type { Worker } from './worker.ts';

/** Who wants a worker, as far as it decides which one. */
export interface Claim {
  readonly home: Worker | undefined;
  readonly kind: WorkerKind;
  readonly caller: { readonly keyName: string };
}

/** How the workers of a pool are shared. */
export interface SharingRules extends Pick<PoolSettings, 'sharing' | 'concurrency'> {
  /** The server has asked its client something: from then on it must be certain who is meant. */
  readonly isInteractive: boolean;
}

/** Is one call at a time all that a worker of this kind may have? */
export function isLeased({ sharing, isInteractive }: SharingRules, kind: WorkerKind): boolean {
  return sharing === 'leased' || (isInteractive && kind.asks);
}

/** How many calls may be on one worker of this kind at the same time. */
export function roomOf(rules: SharingRules, kind: WorkerKind): number {
  return isLeased(rules, kind) ? 1 : rules.concurrency;
}

/**
 * Which running worker may take a call of a session whose home is `home`, if any.
 * shared: many calls of many sessions at once, a session staying where it was while there is room.
 * leased: one call at a time, of any session. exclusive: the worker belongs to the session.
 */
export function fittingWorker(
  workers: Iterable<Worker>,
  claim: Claim,
  rules: SharingRules,
): Worker | undefined {
  const { home, kind } = claim;
  if (rules.sharing === 'exclusive') return home?.isOpen && home.kind.era === kind.era ? home : undefined;
  return home && mayTake(home, claim, rules) ? home : emptiest(workers, claim, rules);
}

/**
 * May the worker that gave a cursor be asked for the page behind it, or the one that says a list has changed for the list?
 * Busy or not: a page is a short answer that asks nobody anything, and another process would have to refuse it, or give an old
 * one. Where one call at a time is the promise, only in its turn; where each session has a worker to itself, no other's ever.
 */
export function mayTurnPage(giver: Worker, claim: Claim, rules: SharingRules): boolean {
  if (rules.sharing === 'exclusive' && giver !== claim.home) return false;
  return isLeased(rules, claim.kind) ? mayTake(giver, claim, rules) : giver.isOpen;
}

function emptiest(workers: Iterable<Worker>, claim: Claim, rules: SharingRules): Worker | undefined {
  let best: Worker | undefined;
  for (const worker of workers) {
    if ((!best || worker.inFlight < best.inFlight) && mayTake(worker, claim, rules)) best = worker;
  }
  return best;
}

function mayTake(worker: Worker, claim: Claim, rules: SharingRules): boolean {
  const { kind } = claim;
  if (!worker.isOpen || worker.kind !== kind || worker.occupied >= roomOf(rules, kind)) return false;
  return !isBarred(worker, claim, rules);
}

/** It may still be at work on a call that was given up, and speak of it while it has the next one: that is its key's alone. */
export function isBarred({ talk }: Worker, { kind, caller }: Claim, rules: SharingRules): boolean {
  if (!isLeased(rules, kind)) return false;
  return talk.unansweredOf !== undefined && talk.unansweredOf !== caller.keyName;
}
