import { expect, test } from 'vitest';
import {
  isLegacyVersion,
  latestLegacyVersion,
  legacyVersions,
  negotiate,
} from '../../../src/mcp/versions.ts';

test('a client gets the revision it asks for, if it is spoken here', () => {
  for (const version of legacyVersions) expect(negotiate(version)).toBe(version);
});

test('else it gets the newest', () => {
  for (const asked of ['2099-01-01', '1.0', '', undefined, null, 20251125, ['2025-06-18']])
    expect(negotiate(asked)).toBe(latestLegacyVersion);
  expect([...legacyVersions].sort().at(-1)).toBe(latestLegacyVersion);
});

test('the header may name exactly the same revisions', () => {
  for (const version of legacyVersions) expect(isLegacyVersion(version)).toBe(true);
  for (const version of ['2099-01-01', '2025-11-25 ', '', 'latest'])
    expect(isLegacyVersion(version)).toBe(false);
});
