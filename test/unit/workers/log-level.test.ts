import { expect, test } from 'vitest';
import { type LogListener, WorkerLogLevel } from '../../../src/workers/log-level.ts';

/** A worker and the sessions on it; what it was told is kept. */
function somePlace(isAble = true) {
  const told: string[] = [];
  const there = new Set<LogListener>();
  const level = new WorkerLogLevel({
    tell: (said) => void told.push(said),
    isAble: () => isAble,
    listeners: () => there,
  });
  return {
    told,
    level,
    join: (logLevel?: string, era: LogListener['era'] = 'legacy') => {
      const session = { era, logLevel };
      there.add(session);
      level.joined(session);
      return session;
    },
    leave: (session: LogListener) => {
      there.delete(session);
      level.left(session);
    },
  };
}

test('the worker is told what the session wants that wants most, and less once that has left', () => {
  const { told, join, leave } = somePlace();
  join('error');
  const most = join('debug');
  join('warning');
  leave(most);
  expect(told).toEqual(['error', 'debug', 'warning']);
});

test('who has said nothing hears what the server holds for right, until another wants more', () => {
  const { told, join, level } = somePlace();
  join();
  const session = join('error');
  expect(told).toEqual([]);
  session.logLevel = 'debug';
  level.review();
  session.logLevel = 'error';
  level.review();
  expect(told).toEqual(['debug', 'info']);
});

test('a session that has said nothing and comes to a worker that was told to be quiet makes it say the usual', () => {
  const { told, join } = somePlace();
  join('error');
  join();
  expect(told).toEqual(['error', 'info']);
});

test('who is there only in its calls wants nothing beyond them', () => {
  const { told, join, level } = somePlace();
  join('error');
  join(undefined, 'modern');
  level.want('warning');
  level.want('critical');
  expect(told).toEqual(['error', 'warning']);
});

test('a call does not make a worker quiet that was told nothing', () => {
  const { told, level } = somePlace();
  level.want('error');
  expect(told).toEqual([]);
  level.want('debug');
  level.want('debug');
  expect(told).toEqual(['debug']);
});

test('a worker told by its only client is not told the same again', () => {
  const { told, join, level } = somePlace();
  level.wasTold('error');
  join('error');
  expect(told).toEqual([]);
});

test('a server that says it does not log is told nothing', () => {
  const { told, join } = somePlace(false);
  join('debug');
  expect(told).toEqual([]);
});
