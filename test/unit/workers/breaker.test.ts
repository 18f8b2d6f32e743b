import { expect, test } from 'vitest';
import { type ProxyEvent } from '../../../src/events/events.ts';
import { createBreaker } from '../../../src/workers/breaker.ts';
import { restartBounds } from '../../../src/workers/restarts.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const facts = { tenantId: 'acme', server: 'default' };

function watched() {
  const clock = createFakeClock();
  const events: ProxyEvent[] = [];
  const breaker = createBreaker(clock, (event) => events.push(event), facts);
  return { clock, events, breaker };
}

test('a failure or two are nothing to speak of', () => {
  const { breaker, events } = watched();
  breaker.failed(false, 'it crashed');
  breaker.failed(false, 'it crashed');
  expect(breaker.isOpen).toBe(false);
  expect(events).toEqual([]);
});

test('opens once, says so, for how long and why', () => {
  const { breaker, events } = watched();
  breaker.failed(true, 'no such command');
  breaker.failed(true, 'no such command');
  expect(breaker.isOpen).toBe(true);
  expect(events).toEqual([
    { type: 'breaker.opened', ...facts, forMs: restartBounds.maxMs, reason: 'no such command' },
  ]);
});

test('crash after crash opens it', () => {
  const { breaker, events } = watched();
  for (let time = 0; time < restartBounds.breakAfter; time++) {
    breaker.started();
    breaker.failed(false, `crash ${time}`);
  }
  expect(breaker.isOpen).toBe(true);
  expect(events.filter(({ type }) => type === 'breaker.opened')).not.toEqual([]);
});

test('a wait that is over lets somebody try, but it stays open until a worker has answered a call', () => {
  const { clock, breaker, events } = watched();
  breaker.failed(true, 'no such command');
  clock.advance(restartBounds.maxMs);
  expect(breaker.allowance).toEqual({ waitMs: 0, failFast: false });
  expect(breaker.isOpen).toBe(true);
  breaker.started();
  expect(breaker.isOpen).toBe(true);
  breaker.proved();
  expect(breaker.isOpen).toBe(false);
  expect(events.map(({ type }) => type)).toEqual(['breaker.opened', 'breaker.closed']);
});

test('a failed probe is no news', () => {
  const { clock, breaker, events } = watched();
  breaker.failed(true, 'no such command');
  clock.advance(restartBounds.maxMs);
  breaker.failed(false, 'it crashed');
  expect(breaker.allowance.failFast).toBe(true);
  expect(events).toHaveLength(1);
});

test('a server that starts and dies again and again is told of once', () => {
  const { breaker, events } = watched();
  for (let time = 0; time < restartBounds.breakAfter * 2; time++) {
    breaker.failed(false, 'it crashed');
    breaker.started();
  }
  expect(events.map(({ type }) => type)).toEqual(['breaker.opened']);
});

test('closing what is closed is no news either', () => {
  const { breaker, events } = watched();
  breaker.started();
  breaker.sound();
  expect(events).toEqual([]);
});

test('the next time it opens is news again', () => {
  const { breaker, events } = watched();
  breaker.failed(true, 'a');
  breaker.started();
  breaker.proved();
  breaker.failed(true, 'b');
  expect(events.map(({ type }) => type)).toEqual(['breaker.opened', 'breaker.closed', 'breaker.opened']);
});

test('a long life cleans the record', () => {
  const { breaker } = watched();
  for (let time = 0; time < restartBounds.breakAfter * 2; time++) {
    breaker.failed(false, 'it crashed');
    breaker.started();
    breaker.sound();
  }
  expect(breaker.isOpen).toBe(false);
});

test('who is refused hears when to come back, and the time runs down', () => {
  const { clock, breaker } = watched();
  breaker.failed(true, 'a secret path');
  clock.advance(restartBounds.maxMs - 1500);
  const refusal = breaker.refusal();
  expect(refusal).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 1500, executed: 'no' });
  expect(refusal.message).toContain('again in 2 s');
  expect(refusal.message).not.toContain('secret');
});

test('once a worker has started nobody waits for the next try', () => {
  const { breaker } = watched();
  breaker.failed(true, 'no such command');
  expect(breaker.allowance).toEqual({ waitMs: restartBounds.maxMs, failFast: true });
  breaker.started();
  expect(breaker.allowance).toEqual({ waitMs: 0, failFast: false });
});

test('an answer and a long life each make good what was said to be for good', () => {
  for (const mend of ['proved', 'sound'] as const) {
    const { breaker, events } = watched();
    breaker.failed(true, 'no such command');
    breaker.started();
    breaker[mend]();
    expect([mend, breaker.isOpen]).toEqual([mend, false]);
    breaker.failed(false, 'it crashed');
    expect([mend, breaker.allowance.failFast]).toEqual([mend, false]);
    expect(events.map(({ type }) => type)).toEqual(['breaker.opened', 'breaker.closed']);
  }
});

test('after a long life the first failure costs nothing again', () => {
  const { breaker } = watched();
  breaker.failed(false, 'it crashed');
  breaker.failed(false, 'it crashed');
  expect(breaker.allowance.waitMs).toBeGreaterThan(0);
  breaker.started();
  breaker.sound();
  breaker.failed(false, 'it crashed');
  expect(breaker.allowance.waitMs).toBe(0);
});
