export interface IsoTime {
  readonly at: Date;
  /** A date alone, which may stand for the whole day. */
  readonly isDay: boolean;
}

const form =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;

/**
 * `2026-01-31`, `2026-01-31T09:30:00Z`, with an offset such as `+01:00`, or without one: then it is UTC, whatever zone this
 * machine is in. Undefined for anything else, and for days there are not: `Date` makes 3 March of 31 February, and some
 * day of "see 5".
 */
export function readIsoTime(written: string): IsoTime | undefined {
  const found = form.exec(written.trim());
  if (!found) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', offset] = found;
  const [y, m, d, h, min, s] = [year, month, day, hour, minute, second].map((part) =>
    Number(part ?? 0),
  ) as Six;
  const ms = Number(fraction.padEnd(3, '0').slice(0, 3));
  const midnight = new Date(Date.UTC(y, m - 1, d));
  // Years below 100 it takes for those of the last century.
  const isThere = midnight.toISOString().startsWith(`${year}-${month}-${day}`);
  const eastMinutes = offsetMinutes(offset);
  if (!isThere || h > 23 || min > 59 || s > 59 || eastMinutes === undefined) return undefined;
  return { at: new Date(Date.UTC(y, m - 1, d, h, min - eastMinutes, s, ms)), isDay: hour === undefined };
}

type Six = [number, number, number, number, number, number];

/** East of Greenwich; undefined where there is no such zone. */
function offsetMinutes(offset = 'Z'): number | undefined {
  const [, sign, hours, minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(offset) ?? [];
  if (hours === undefined) return 0;
  const east = Number(hours) * 60 + Number(minutes);
  if (Number(minutes) > 59 || east > 14 * 60) return undefined;
  return sign === '-' ? -east : east;
}
