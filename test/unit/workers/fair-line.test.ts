import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FairLine } from '../../../src/workers/fair-line.ts';

/** Serves all who wait, one after the other, each giving back what he got at once. */
function served(line: FairLine<string>): string[] {
  const names: string[] = [];
  for (let next = line.next(); next; next = line.next()) {
    line.took(next.tenantId);
    names.push(next.waiting);
    line.gaveBack(next.tenantId);
  }
  return names;
}

test('one tenant is served in the order in which it came', () => {
  const line = new FairLine<string>();
  for (const name of ['a', 'b', 'c']) line.wait('acme', name);
  expect(line.size).toBe(3);
  expect(served(line)).toEqual(['a', 'b', 'c']);
  expect(line.size).toBe(0);
});

test('with many of one tenant waiting, another comes after one of them', () => {
  const line = new FairLine<string>();
  for (let nth = 1; nth <= 5; nth++) line.wait('greedy', `greedy ${nth}`);
  line.wait('quiet', 'quiet 1');
  line.wait('late', 'late 1');
  line.wait('quiet', 'quiet 2');
  expect(served(line)).toEqual([
    'greedy 1',
    'quiet 1',
    'late 1',
    'greedy 2',
    'quiet 2',
    'greedy 3',
    'greedy 4',
    'greedy 5',
  ]);
});

test('whoever comes later, and each time as a new tenant, does not pass those who wait', () => {
  const line = new FairLine<string>();
  line.wait('patient', 'patient 1');
  line.wait('patient', 'patient 2');
  const order: string[] = [];
  for (let nth = 1; nth <= 4; nth++) {
    const next = line.next()!;
    line.took(next.tenantId);
    line.gaveBack(next.tenantId);
    order.push(next.waiting);
    line.wait(`new ${nth}`, `new ${nth}`);
  }
  expect(order.slice(0, 2)).toContain('patient 1');
  expect(order.slice(0, 3)).toContain('patient 2');
});

test('who holds more comes later, however long it has waited', () => {
  const line = new FairLine<string>();
  line.took('greedy');
  line.took('greedy');
  line.took('quiet');
  line.wait('greedy', 'greedy');
  line.wait('quiet', 'quiet');
  line.wait('new', 'new');
  const order = [1, 2, 3].map(() => line.next()?.waiting);
  expect(order).toEqual(['new', 'quiet', 'greedy']);
  expect([line.heldBy('greedy'), line.heldBy('quiet'), line.heldBy('new')]).toEqual([2, 1, 0]);
});

test('nobody is passed over by a tenant that holds more, and everybody is served once', () => {
  const tenants = ['a', 'b', 'c'];
  const step = fc.tuple(fc.constantFrom('wait', 'wait', 'take', 'give'), fc.constantFrom(...tenants));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const line = new FairLine<number>();
      const waiting = new Map(tenants.map((tenant): [string, number[]] => [tenant, []]));
      const held = new Map(tenants.map((tenant) => [tenant, 0]));
      for (const [at, [what, tenant]] of steps.entries()) {
        if (what === 'wait') {
          line.wait(tenant, at);
          waiting.get(tenant)!.push(at);
        } else if (what === 'give' && held.get(tenant)! > 0) {
          line.gaveBack(tenant);
          held.set(tenant, held.get(tenant)! - 1);
        } else if (what === 'take') {
          const fewest = Math.min(
            ...tenants.filter((each) => waiting.get(each)!.length > 0).map((each) => held.get(each)!),
          );
          const next = line.next();
          expect(next === undefined).toBe(fewest === Infinity);
          if (!next) continue;
          expect(held.get(next.tenantId)).toBe(fewest);
          expect(waiting.get(next.tenantId)!.shift()).toBe(next.waiting);
          line.took(next.tenantId);
          held.set(next.tenantId, fewest + 1);
        }
        expect(line.size).toBe([...waiting.values()].flat().length);
      }
    }),
  );
});

test('who was served long ago and comes again is no earlier than those who have waited since', () => {
  const line = new FairLine<string>();
  for (const tenant of ['old', 'other']) {
    line.took(tenant);
    line.gaveBack(tenant);
  }
  line.wait('patient', 'patient');
  line.wait('old', 'old');
  expect(served(line)).toEqual(['patient', 'old']);
});

test('the tenants that wait are those of whom somebody does', () => {
  const line = new FairLine<string>();
  line.took('busy');
  for (const tenant of ['acme', 'acme', 'globex']) line.wait(tenant, tenant);
  expect([...line.waitingTenants()]).toEqual(['acme', 'globex']);
  served(line);
  expect([...line.waitingTenants()]).toEqual([]);
});

test('who did not take what was offered and comes again is no earlier than those who have waited since', () => {
  const line = new FairLine<string>();
  line.wait('fickle', 'declined');
  expect(line.next()?.waiting).toBe('declined');
  line.took('other');
  line.gaveBack('other');
  line.wait('patient', 'patient');
  line.wait('fickle', 'fickle');
  expect(served(line)).toEqual(['patient', 'fickle']);
});
