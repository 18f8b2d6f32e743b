import { ReplayBudget, type ReplayBounds } from '../../../src/sessions/replay-budget.ts';

export const someBounds: ReplayBounds = {
  events: 10,
  perSession: 10_000,
  total: 100_000,
  keep: 1000,
  retry: 500,
};

export const someBudget = (own: Partial<ReplayBounds> = {}, now: () => number = () => 0): ReplayBudget =>
  new ReplayBudget({ ...someBounds, ...own }, now);
