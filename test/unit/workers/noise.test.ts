import { expect, test } from 'vitest';
import { createNoiseMeter } from '../../../src/workers/noise.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const minuteMs = 60_000;
const mostLines = 100;
const mostBytes = 64 * 1024;

test('a banner is bearable, a flood of lines is not', () => {
  const { isBearable } = createNoiseMeter(createFakeClock());
  for (let line = 0; line < mostLines; line++) expect(isBearable(10)).toBe(true);
  expect(isBearable(10)).toBe(false);
});

test('few lines with much in them are not bearable either', () => {
  const { isBearable } = createNoiseMeter(createFakeClock());
  expect(isBearable(mostBytes)).toBe(true);
  expect(isBearable(1)).toBe(false);
});

test('each minute is forgiven anew', () => {
  const clock = createFakeClock();
  const { isBearable } = createNoiseMeter(clock);
  for (let minute = 0; minute < 3; minute++) {
    for (let line = 0; line < mostLines; line++) expect(isBearable(1)).toBe(true);
    expect(isBearable(1)).toBe(false);
    clock.advance(minuteMs + 1);
  }
  expect(isBearable(mostBytes)).toBe(true);
});

test('within the minute nothing is forgiven', () => {
  const clock = createFakeClock();
  const { isBearable } = createNoiseMeter(clock);
  expect(isBearable(mostBytes)).toBe(true);
  clock.advance(minuteMs - 1);
  expect(isBearable(1)).toBe(false);
});

test('a line with each message is bearable for ever', () => {
  const { isBearable, message } = createNoiseMeter(createFakeClock());
  for (let call = 0; call < mostLines * 3; call++) {
    expect(isBearable(10)).toBe(true);
    message();
  }
});
