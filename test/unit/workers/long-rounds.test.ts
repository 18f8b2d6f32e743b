import { expect, test } from 'vitest';
import type { Worker } from '../../../src/workers/worker.ts';
import { endLongRound } from '../../../src/workers/long-rounds.ts';
import { someCall } from '../calls/some-call.ts';

/** Workers, each with the calls of these keys, whose clients went away at that time; undefined: they are there. */
function somePlace(...held: readonly (readonly [keyName: string, since: number | undefined])[]) {
  const ended: string[] = [];
  const workers = held.map(([keyName, since]) => {
    const giveUp = () => void ended.push(`${keyName} ${since}`);
    const away = since === undefined ? undefined : { since, giveUp };
    const visitor = {
      capabilities: {},
      clientInfo: undefined,
      logLevel: undefined,
      ask: () => undefined,
      away,
    };
    return { isOpen: true, talk: { calls: [someCall({ keyName, visitor })] } } as unknown as Worker;
  });
  return { ended, workers, end: (now: number) => endLongRound(workers, now) };
}

test('of several rounds the one goes whose client was asked first', () => {
  const { end, ended } = somePlace(['ada', 20], ['grace', 10], ['alan', 30]);
  expect(end(60_000)).toMatchObject({ call: { keyName: 'grace' }, waitedMs: 59_990 });
  expect(ended).toEqual(['grace 10']);
});

test('of several keys the one gives way that holds most', () => {
  const { end, ended } = somePlace(['grace', 10], ['ada', 20], ['ada', 30]);
  expect(end(60_000)).toMatchObject({ call: { keyName: 'ada' }, waitedMs: 59_980 });
  expect(ended).toEqual(['ada 20']);
});

test('nobody is hurried, and whose client is there is not ended', () => {
  const { end, ended } = somePlace(['ada', 10], ['grace', undefined]);
  expect(end(5009)).toBeUndefined();
  expect(ended).toEqual([]);
  expect(end(5010)).toMatchObject({ call: { keyName: 'ada' }, waitedMs: 5000 });
  expect(ended).toEqual(['ada 10']);
});

test('a call whose client is there is none that its key holds', () => {
  const { end, ended } = somePlace(['grace', 10], ['ada', 20], ['ada', undefined], ['ada', undefined]);
  end(60_000);
  expect(ended).toEqual(['grace 10']);
});

test('of a worker that takes no more calls nobody is ended: that would make no room', () => {
  const { end, ended, workers } = somePlace(['ada', 10]);
  Object.assign(workers[0]!, { isOpen: false });
  expect(end(60_000)).toBeUndefined();
  expect(ended).toEqual([]);
});
