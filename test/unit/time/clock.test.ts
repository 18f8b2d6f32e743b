import { expect, test } from 'vitest';
import { systemClock } from '../../../src/time/clock.ts';

test('time goes on, and the wall shows the date', () => {
  const [now, wall] = [systemClock.now(), systemClock.wall()];
  expect(systemClock.now()).toBeGreaterThanOrEqual(now);
  expect(Math.abs(wall - Date.now())).toBeLessThan(60_000);
});

test('what is called off does not run, what comes after it does', async () => {
  const ran: string[] = [];
  const callOff = systemClock.after(1, () => ran.push('called off'));
  callOff();
  await new Promise<void>((resolve) => {
    systemClock.after(2, () => {
      ran.push('due');
      resolve();
    });
  });
  expect(ran).toEqual(['due']);
});

test('a timer does not keep the process alive', () => {
  const holding = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = holding();
  const callOff = systemClock.after(3_600_000, () => undefined);
  const after = holding();
  callOff();
  expect(after).toBe(before);
});
