import { expect, test } from 'vitest';
import { createListeningBudget } from '../../../src/workers/budget.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

test('five thousand lines are heard at once, and five thousand a second from then on', () => {
  const clock = createFakeClock();
  const { heard, overdrawnMs } = createListeningBudget(clock);
  for (let line = 0; line < 5000; line++) heard(0);
  expect(overdrawnMs()).toBe(0);
  for (let line = 0; line < 500; line++) heard(0);
  expect(overdrawnMs()).toBe(100);
  clock.advance(100);
  expect(overdrawnMs()).toBe(0);
  heard(0);
  expect(overdrawnMs()).toBe(1);
});

test('a long line counts for more, and what was not used is not saved up without end', () => {
  const clock = createFakeClock();
  const { heard, overdrawnMs } = createListeningBudget(clock);
  clock.advance(60_000);
  expect(overdrawnMs()).toBe(0);
  for (let line = 0; line < 1000; line++) heard(4 * 8192);
  expect(overdrawnMs()).toBe(0);
  heard(99 * 8192);
  expect(overdrawnMs()).toBe(20);
});

test('who is asked may say more', () => {
  const { heard, sent, overdrawnMs } = createListeningBudget(createFakeClock());
  for (let call = 0; call < 1000; call++) {
    sent();
    for (let line = 0; line < 50; line++) heard(0);
  }
  expect(overdrawnMs()).toBe(0);
});
