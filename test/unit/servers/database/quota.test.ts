import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { ToolFailure } from '../../../../src/servers/kit/failure.ts';
import { createQuota, type QuotaLimits } from '../../../../src/servers/database/quota.ts';
import { useTempFolder } from '../../../support/temp-folder.ts';

const folder = useTempFolder();
const noon = Date.parse('2026-11-21T12:00:00Z');
const minute = 60_000;
let now = noon;
let unsaved: string[] = [];
beforeEach(() => {
  now = noon;
  unsaved = [];
});

/** What a process has; several share the folder. */
const open = (limits: Partial<QuotaLimits>, at = folder.file('acme')) =>
  createQuota({
    limits: { perHour: undefined, perDay: undefined, ...limits },
    folder: at,
    wall: () => now,
    onUnsaved: (reason) => unsaved.push(reason),
  });
type Quota = ReturnType<typeof open>;

const take = (quota: Quota, times: number) => {
  for (let n = 0; n < times; n++) quota.take();
};
function refusal(quota: Quota): ToolFailure {
  try {
    quota.take();
  } catch (thrown) {
    if (thrown instanceof ToolFailure) return thrown;
  }
  throw new Error('it was not refused');
}

test('an hour’s queries are as many as allowed, and the refusal says when to come back', () => {
  const quota = open({ perHour: 3 });
  now += 45 * minute + 1;
  take(quota, 3);
  expect(refusal(quota)).toMatchObject({
    code: 'QUOTA_EXCEEDED',
    executed: 'no',
    retryable: true,
    retryAfterSeconds: 15 * 60,
    message:
      'All 3 queries that this tenant may ask in one hour are used up; the next hour begins at 2026-11-21T13:00:00Z',
    hint: expect.stringContaining('max_queries_per_hour') as string,
  });
  now = noon + 60 * minute - 1;
  expect(refusal(quota).retryAfterSeconds).toBe(1);
  now += 1;
  take(quota, 3);
  expect(refusal(quota).message).toContain('2026-11-21T14:00:00Z');
});

test('a day’s queries are counted over its hours, and what is refused is not counted', () => {
  const quota = open({ perHour: 4, perDay: 6 });
  take(quota, 4);
  for (let n = 0; n < 20; n++) refusal(quota);
  expect(quota.used()).toEqual({ queries_this_hour: 4, queries_this_day: 4 });
  now += 60 * minute;
  take(quota, 2);
  expect(refusal(quota).message).toContain('the next day begins at 2026-11-22T00:00:00Z');
  expect(quota.used()).toEqual({ queries_this_hour: 2, queries_this_day: 6 });
  now = Date.parse('2026-11-22T00:00:00Z');
  expect(quota.used()).toEqual({ queries_this_hour: 0, queries_this_day: 0 });
  take(quota, 4);
});

test('processes count together, in any order, and one that begins later goes on', () => {
  const [one, two] = [open({ perDay: 10 }), open({ perDay: 10 })];
  for (let n = 0; n < 4; n++) {
    one.take();
    two.take();
  }
  const later = open({ perDay: 10 });
  expect(later.used()).toEqual({ queries_this_day: 8 });
  expect(later.scope()).toBe('tenant');
  take(later, 2);
  for (const quota of [one, two, later]) refusal(quota);
});

test('without a limit nothing is counted or written', () => {
  const quota = open({});
  take(quota, 1_000);
  expect(quota.used()).toEqual({});
  expect(readdirSync(folder.path)).toEqual([]);
});

test('files are the owner’s alone, and those of earlier hours and days are taken away', () => {
  const quota = open({ perHour: 5, perDay: 50 });
  for (let hour = 0; hour < 40; hour++) {
    quota.take();
    now += 60 * minute;
  }
  const files = readdirSync(folder.file('acme'));
  expect(files.map((file) => file.split('-')[0])).toEqual(['day', 'hour']);
  for (const file of files) expect(statSync(folder.file('acme', file)).mode & 0o777).toBe(0o600);
  expect(statSync(folder.file('acme')).mode & 0o777).toBe(0o700);
});

test('tenants do not count for one another', () => {
  const [acme, globex] = [open({ perHour: 2 }), open({ perHour: 2 }, folder.file('globex'))];
  take(acme, 2);
  refusal(acme);
  take(globex, 2);
});

test('where the folder cannot be used it is told once, and the process counts for itself', () => {
  writeFileSync(folder.file('file'), '');
  const quota = open({ perHour: 2, perDay: 3 }, folder.file('file', 'acme'));
  take(quota, 2);
  expect(refusal(quota).code).toBe('QUOTA_EXCEEDED');
  now += 60 * minute;
  quota.take();
  expect(refusal(quota).message).toContain('next day');
  expect(unsaved).toEqual([expect.stringMatching(/ENOTDIR|EEXIST/)]);
  expect(quota.scope()).toBe('process');
});

test('a link where the count should be is not followed', () => {
  mkdirSync(folder.file('acme'));
  writeFileSync(folder.file('precious'), 'data');
  symlinkSync(folder.file('precious'), folder.file('acme', `hour-${noon}`));
  take(open({ perHour: 2 }), 1);
  expect(statSync(folder.file('precious')).size).toBe(4);
  expect(unsaved).toHaveLength(1);
});
