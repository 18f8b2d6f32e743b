import { expect, test } from 'vitest';
import { Pages } from '../../../src/workers/pages.ts';
import { responseOf } from '../bridge/some-response.ts';
import { messageOf } from '../calls/some-call.ts';
import { someWorker } from './some-worker.ts';

const list = 'resources/list';
const next = (cursor: unknown, method = list) => messageOf({ id: 1, method, params: { cursor } });
const page = (nextCursor: unknown) => responseOf({ resources: [], nextCursor });

test('whoever gave a cursor is asked for the page behind it', () => {
  const pages = new Pages();
  const [one, two] = [someWorker(), someWorker()];
  pages.note(one, list, page('é'));
  pages.note(two, list, page('b'));
  expect([pages.giverOf(next('é')), pages.giverOf(next('b'))]).toEqual([one, two]);
  pages.note(two, list, page('é'));
  expect(pages.giverOf(next('é'))).toBe(two);
});

test('a cursor is one of its list, and nothing without one is', () => {
  const pages = new Pages();
  const giver = someWorker();
  for (const cursor of ['a', 7, null, undefined, 'x'.repeat(5000)]) pages.note(giver, list, page(cursor));
  expect(pages.giverOf(next('a', 'tools/list'))).toBeUndefined();
  expect(pages.giverOf(next('a', 'tools/call'))).toBeUndefined();
  for (const cursor of ['b', 7, null, undefined, 'x'.repeat(5000)])
    expect(pages.giverOf(next(cursor))).toBeUndefined();
});

test('the oldest are forgotten, and those of workers that are no more', () => {
  const pages = new Pages();
  const giver = someWorker();
  for (let at = 0; at <= 16; at++) pages.note(giver, list, page(`c${at}`));
  expect([pages.giverOf(next('c0')), pages.giverOf(next('c1'))]).toEqual([undefined, giver]);
  pages.note(someWorker(0, false), list, page('gone'));
  pages.note(giver, list, page('d'));
  expect(pages.giverOf(next('gone'))).toBeUndefined();
});

test('who says that a list has changed is asked for it, from its beginning', () => {
  const pages = new Pages();
  const [one, two] = [someWorker(), someWorker()];
  pages.changed(one, 'resources');
  pages.changed(two, 'tools');
  const asked = (method: string) => pages.giverOf(messageOf({ id: 1, method, params: {} }));
  expect(['resources/list', 'resources/templates/list', 'tools/list'].map(asked)).toEqual([one, one, two]);
  expect(['prompts/list', 'tools/call'].map(asked)).toEqual([undefined, undefined]);
  expect(pages.giverOf(next('a'))).toBeUndefined();
  pages.changed(two, 'resources');
  expect(asked('resources/list')).toBe(two);
});
