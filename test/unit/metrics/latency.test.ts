import { expect, test } from 'vitest';
import { createLatency } from '../../../src/metrics/latency.ts';

test('nothing recorded has no percentile', () => {
  expect(createLatency().percentile(0.5)).toBeNull();
});

test.each([0.02, 0.5, 1, 3.3, 42, 1_000, 60_000, 3_600_000])('%d ms comes back to within 5 %%', (ms) => {
  const latency = createLatency();
  latency.record(ms);
  expect(latency.percentile(0.5)! / ms).toBeGreaterThan(0.95);
  expect(latency.percentile(0.5)! / ms).toBeLessThan(1.05);
});

test('the slow twentieth shows in p95 and not in p50', () => {
  const latency = createLatency();
  for (let call = 0; call < 900; call += 1) latency.record(2);
  for (let call = 0; call < 100; call += 1) latency.record(500);
  expect(latency.percentile(0.5)).toBeCloseTo(2, 0);
  expect(latency.percentile(0.95)).toBeGreaterThan(450);
});

test('times that cannot be are counted and break nothing', () => {
  const latency = createLatency();
  for (const ms of [Number.NaN, -5, 0, Number.POSITIVE_INFINITY, 1e12]) latency.record(ms);
  expect(latency.percentile(0)).toBeLessThan(0.02);
  expect(latency.percentile(1)).toBeGreaterThan(3_600_000);
});

test("yesterday's calls do not hide today's", () => {
  const latency = createLatency();
  for (let call = 0; call < 1_000_000; call += 1) latency.record(1);
  for (let call = 0; call < 20_000; call += 1) latency.record(100);
  expect(latency.percentile(0.5)).toBeGreaterThan(90);
});
