import { expect, test } from 'vitest';
import { isListChanged, isLogLevel, isLogWanted, mayHaveEffects } from '../../../src/mcp/methods.ts';

/** RFC 5424, least severe first. */
const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

test('list_changed of every kind is for everybody, other news are not', () => {
  for (const kind of ['tools', 'prompts', 'resources', 'roots'])
    expect(isListChanged(`notifications/${kind}/list_changed`)).toBe(true);
  for (const method of ['notifications/message', 'notifications/resources/updated', 'tools/list_changed'])
    expect(isListChanged(method)).toBe(false);
});

test('only a tool may have effects', () => {
  expect(mayHaveEffects('tools/call')).toBe(true);
  for (const method of ['tools/list', 'resources/read', 'prompts/get', 'completion/complete', 'ping'])
    expect(mayHaveEffects(method)).toBe(false);
});

test('a log line is wanted from the asked level upwards', () => {
  for (const [asked, least] of levels.entries())
    for (const [said, level] of levels.entries()) expect(isLogWanted(level, least)).toBe(said >= asked);
});

test('who asked for no level gets all, and an unknown level goes to everybody', () => {
  expect(isLogWanted('debug', undefined)).toBe(true);
  expect(isLogWanted('verbose', 'emergency')).toBe(true);
  expect(isLogWanted(undefined, 'emergency')).toBe(true);
});

test('a level is one of the eight, spelled exactly', () => {
  for (const level of levels) expect(isLogLevel(level)).toBe(true);
  for (const level of ['INFO', 'verbose', '', 3, null, undefined, ['info']])
    expect(isLogLevel(level)).toBe(false);
});
