import { expect, test } from 'vitest';
import { createAnnouncer } from '../../../src/events/announcer.ts';
import { type ProxyEvent } from '../../../src/events/events.ts';

const reaped = (count: number): ProxyEvent => ({ type: 'workers.reaped', count });

test('every listener hears every event', () => {
  const heard: [ProxyEvent[], ProxyEvent[]] = [[], []];
  const announce = createAnnouncer(heard.map((events) => (event: ProxyEvent) => void events.push(event)));
  announce(reaped(1));
  announce(reaped(2));
  expect(heard).toEqual([
    [reaped(1), reaped(2)],
    [reaped(1), reaped(2)],
  ]);
});

test('one that throws is left out from then on, and nobody else notices', () => {
  let asked = 0;
  const heard: ProxyEvent[] = [];
  const announce = createAnnouncer([
    () => {
      asked++;
      throw new Error('the disk is full');
    },
    (event) => void heard.push(event),
  ]);
  announce(reaped(1));
  announce(reaped(2));
  expect(asked).toBe(1);
  expect(heard).toEqual([reaped(1), reaped(2)]);
});

test('one that says something itself is no endless loop', () => {
  const heard: ProxyEvent[] = [];
  const announce = createAnnouncer([
    (event) => {
      if (event.type === 'workers.reaped') announce({ type: 'proxy.stopped', cutCalls: event.count });
    },
    (event) => void heard.push(event),
  ]);
  announce(reaped(2));
  expect(heard.map(({ type }) => type).sort()).toEqual(['proxy.stopped', 'workers.reaped']);
});
