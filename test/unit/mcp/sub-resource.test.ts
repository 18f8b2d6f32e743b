import { expect, test } from 'vitest';
import { isPartOf } from '../../../src/mcp/sub-resource.ts';

test.each([
  ['file:///a', 'file:///a'],
  ['file:///a/b', 'file:///a'],
  ['file:///a/b/c', 'file:///a'],
  ['file:///a/b', 'file:///a/'],
  ['file:///a', 'file:///'],
  ['test://t?row=1', 'test://t'],
  ['test://t#row', 'test://t'],
  ['test://é/ż', 'test://é'],
])('%s is part of %s', (uri, subscribed) => {
  expect(isPartOf(uri, subscribed)).toBe(true);
});

test.each([
  ['file:///ab', 'file:///a'],
  ['file:///a.txt', 'file:///a'],
  ['file:///a', 'file:///a/'],
  ['file:///a', 'file:///a/b'],
  ['file:///b/a', 'file:///a'],
  ['file:///A/b', 'file:///a'],
  ['undefined', 'file:///a'],
  ['file:///a', ''],
  ['', 'file:///a'],
])('%s is no part of %s', (uri, subscribed) => {
  expect(isPartOf(uri, subscribed)).toBe(false);
});
