import { afterEach, describe, expect, test } from 'vitest';
import { type StrainMeter, type StrainParts, watchStrain } from '../../../src/gateway/strain.ts';
import type { ProxyEvent } from '../../../src/events/events.ts';
import { eventually } from '../../support/eventually.ts';

const meters: StrainMeter[] = [];
afterEach(() => {
  for (const meter of meters.splice(0)) meter.close();
});

function watched(parts: Partial<StrainParts> = {}) {
  const told: ProxyEvent[] = [];
  const announce = (event: ProxyEvent) => void told.push(event);
  const meter = watchStrain({ loopDelay: 0, memory: Infinity, announce, ...parts });
  meters.push(meter);
  return { meter, told };
}

/** Turns of the event loop that take so long. */
async function stall(ms: number, until: () => boolean): Promise<void> {
  while (!until()) {
    const endAt = performance.now() + ms;
    while (performance.now() < endAt);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the proxy', () => {
  test('is short of time while its event loop is late, and says once that it began and that it is over', async () => {
    const { meter, told } = watched({ loopDelay: 100 });
    expect(meter.now()).toBeUndefined();
    await stall(400, () => meter.now() === 'loop');
    await eventually(() => meter.now() === undefined);
    expect(told).toEqual([{ type: 'strain.began', of: 'loop' }, { type: 'strain.over' }]);
  });

  test('is short of memory while it holds more than it may, and not before it holds clearly less again', async () => {
    let held = 90;
    const { meter, told } = watched({ memory: 100, residentBytes: () => held });
    held = 101;
    await eventually(() => meter.now() === 'memory');
    let looks = 0;
    held = 90;
    const { meter: other } = watched({ memory: 100, residentBytes: () => (looks++, 90) });
    await eventually(() => looks >= 2);
    expect([meter.now(), other.now()]).toEqual(['memory', undefined]);
    held = 79;
    await eventually(() => meter.now() === undefined);
    expect(told).toEqual([{ type: 'strain.began', of: 'memory' }, { type: 'strain.over' }]);
  });
});
