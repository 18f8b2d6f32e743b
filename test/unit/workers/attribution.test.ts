import { describe, expect, test } from 'vitest';
import type { AttachedLine } from '../../../src/workers/attached-line.ts';
import { routeNotification, tellListsChanged } from '../../../src/workers/attribution.ts';
import type { Sharing } from '../../../src/workers/spec.ts';
import { messageOf } from '../calls/some-call.ts';
import { createListener, createTalker } from './some-talk.ts';

const news = (method: string, params?: object) => messageOf({ method: `notifications/${method}`, params });
const log = (level: string) => news('message', { level, data: 'x' });
const visitor = (logLevel?: string) => ({
  capabilities: {},
  clientInfo: undefined,
  logLevel,
  ask: () => undefined,
});

/** Two sessions on a worker, and one of the same server elsewhere. */
function createHouse(sharing: Sharing = 'shared', owner?: string) {
  const [here, too, elsewhere] = [
    createListener({ subscriptions: new Set(['file:///a']), logLevel: 'warning' }),
    createListener({ keyName: 'bob', subscriptions: new Set(['file:///b']) }),
    createListener({ keyName: 'bob', subscriptions: new Set(['file:///b']) }),
  ];
  const talker = createTalker(here.line, too.line);
  const heardOfTasks: unknown[] = [];
  const tasks = {
    heard: (task: unknown) => heardOfTasks.push(task),
    ownerOf: () => owner,
    lineOf: () => undefined,
  };
  const lines: AttachedLine[] = [here.line, too.line, elsewhere.line];
  return {
    ...talker,
    here,
    heardOfTasks,
    say: (message: ReturnType<typeof news>) =>
      routeNotification({ worker: talker.worker, sharing, lines, tasks }, message),
    heard: () => [here, too, elsewhere].map(({ heard }) => heard.map(([method]) => method)),
  };
}

test('of a resource those hear who live here and subscribed to it', () => {
  const { say, heard } = createHouse();
  say(news('resources/updated', { uri: 'file:///b' }));
  expect(heard()).toEqual([[], ['notifications/resources/updated'], []]);
});

test('of a changed list everybody hears; of an exclusive worker’s, its own session', () => {
  const [shared, exclusive] = [createHouse(), createHouse('exclusive')];
  for (const { say } of [shared, exclusive]) say(news('tools/list_changed'));
  const told = ['notifications/tools/list_changed'];
  expect(shared.heard()).toEqual([told, told, told]);
  expect(exclusive.heard()).toEqual([told, told, []]);
});

describe('how a task stands', () => {
  const status = news('tasks/status', { taskId: 't1', status: 'working' });

  test('is told to all sessions of whose it is, and noted', () => {
    const { say, heard, heardOfTasks } = createHouse('leased', 'bob');
    say(status);
    expect(heard()).toEqual([[], ['notifications/tasks/status'], ['notifications/tasks/status']]);
    expect(heardOfTasks).toEqual([{ taskId: 't1', status: 'working' }]);
  });

  test('is told to nobody if it is nobody’s, even to who has the only call', () => {
    const { say, call, here, heard, heardOfTasks } = createHouse();
    call(here.line);
    say(status);
    expect(heard()).toEqual([[], [], []]);
    expect(heardOfTasks).toHaveLength(1);
  });

  test('is told to the one session of an exclusive worker', () => {
    const { say, heard } = createHouse('exclusive', 'bob');
    say(status);
    expect(heard()).toEqual([['notifications/tasks/status'], [], []]);
  });
});

describe('what is about a call', () => {
  test('is told to whose the only call is, as about that call', () => {
    const { say, call, here } = createHouse();
    const only = call(here.line);
    say(log('error'));
    expect(here.heard).toEqual([['notifications/message', only]]);
  });

  test.each(['shared', 'leased'] as const)(
    'is told to nobody where no call, or several, are (%s)',
    (sharing) => {
      const { say, call, here, heard } = createHouse(sharing);
      say(log('error'));
      call(here.line);
      call(here.line);
      say(log('error'));
      expect(heard()).toEqual([[], [], []]);
    },
  );

  test('is told without a call where the worker is one session’s', () => {
    const { say, here } = createHouse('exclusive');
    say(log('error'));
    expect(here.heard).toEqual([['notifications/message', undefined]]);
  });

  test('is not told if it is less severe than the session wants to hear', () => {
    const { say, call, here, heard } = createHouse();
    call(here.line);
    for (const level of ['debug', 'notice']) say(log(level));
    expect(heard()).toEqual([[], [], []]);
    say(news('progress/own', { level: 'debug' }));
    expect(heard()).toEqual([['notifications/progress/own'], [], []]);
  });

  test.each([
    ['nothing', undefined, []],
    ['what is severe enough', 'error', ['critical']],
    ['all there is', 'debug', ['info', 'critical']],
  ])('of the log a visitor hears %s, as it asked for', (_, least, expected) => {
    const { worker, say, call, here } = createHouse();
    const one = call(here.line, { visitor: visitor(least) });
    expect(worker.talk.soleCall?.call).toBe(one);
    const told = ['info', 'critical'].filter((level) => {
      const before = here.heard.length;
      say(log(level));
      return here.heard.length > before;
    });
    expect(told).toEqual(expected);
  });

  test('is not told to a visitor if its era has no such news', () => {
    const { say, call, here, heard } = createHouse();
    call(here.line, { visitor: visitor('debug') });
    say(news('elicitation/complete', { elicitationId: 'e1' }));
    say(news('own'));
    expect(heard()).toEqual([['notifications/own'], [], []]);
  });
});

test.each(['tools', 'prompts', 'resources'])(
  'with a new generation they hear of %s if they were told to expect news of them, and of nothing else',
  (feature) => {
    const others = { tools: {}, prompts: { listChanged: false }, resources: { subscribe: true } };
    const capabilities = { ...others, [feature]: { listChanged: true } };
    const before = { initialize: { capabilities } } as unknown as Parameters<typeof tellListsChanged>[1];
    const { line, heard } = createListener();
    tellListsChanged([line], before);
    tellListsChanged([line], undefined);
    expect(heard).toEqual([[`notifications/${feature}/list_changed`, undefined]]);
  },
);
