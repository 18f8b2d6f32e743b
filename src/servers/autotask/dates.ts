import { ToolFailure } from '../kit/failure.ts';

const vendorTime = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?$/;
const dateField = /date|time|activity/i;
const dateOnly = /^\d{4}-\d\d-\d\d$/;
const dateTime = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/i;

/** Autotask's times are UTC, and some lack the `Z` that says so. */
export function withUtcMark(field: string, value: unknown): unknown {
  return typeof value === 'string' && dateField.test(field) && vendorTime.test(value) ? `${value}Z` : value;
}

/** A date, or a date and time with an offset, as Autotask takes it. Without an offset it is UTC. Throws INVALID_INPUT. */
export function toVendorTime(argument: string, written: string): string {
  const isTime = dateTime.test(written);
  const marked = /(Z|[+-]\d\d:?\d\d)$/i.test(written) || !isTime ? written : `${written}Z`;
  const at = dateOnly.test(written) || isTime ? new Date(marked.replace(' ', 'T')) : undefined;
  if (at === undefined || Number.isNaN(at.getTime())) {
    throw new ToolFailure('INVALID_INPUT', `${argument} is not a date`, {
      hint: 'Write 2026-01-31, or 2026-01-31T09:30:00Z, or with an offset such as +01:00',
    });
  }
  return at.toISOString().replace('.000Z', 'Z');
}
