import { ToolFailure } from '../kit/failure.ts';
import { readIsoTime } from '../kit/iso-time.ts';

const vendorTime = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?$/;
const dateField = /date|time|activity/i;
const dayMs = 86_400_000;

/** Autotask's times are UTC, and some lack the `Z` that says so. */
export function withUtcMark(field: string, value: unknown): unknown {
  return typeof value === 'string' && dateField.test(field) && vendorTime.test(value) ? `${value}Z` : value;
}

/** A date, or a date and time with an offset, as Autotask takes it. Without an offset it is UTC. Throws INVALID_INPUT. */
export function toVendorTime(argument: string, written: string): string {
  return asVendorHasIt(timeIn(argument, written).at);
}

/** The first moment after what was written, if that is a day; undefined if it is a moment itself. Throws INVALID_INPUT. */
export function endOfDay(argument: string, written: string): string | undefined {
  const { at, isDay } = timeIn(argument, written);
  return isDay ? asVendorHasIt(new Date(at.getTime() + dayMs)) : undefined;
}

const asVendorHasIt = (at: Date): string => at.toISOString().replace('.000Z', 'Z');

function timeIn(argument: string, written: string): NonNullable<ReturnType<typeof readIsoTime>> {
  const time = readIsoTime(written);
  if (time) return time;
  throw new ToolFailure('INVALID_INPUT', `${argument}: there is no such date as ${written.slice(0, 40)}`, {
    hint: 'Write 2026-01-31, or 2026-01-31T09:30:00Z, or with an offset such as +01:00',
  });
}
