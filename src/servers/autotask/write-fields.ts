import { z } from 'zod';
import { id, picklist, text, time, toVendorId } from './arguments.ts';
import { toVendorTime } from './dates.ts';
import type { Id } from './records.ts';

/** One field of a record that can be written: how the client says it and how Autotask takes it. */
export interface WriteField {
  readonly schema: z.ZodType;
  readonly isPicklist: boolean;
  toVendor(value: unknown, name: string): unknown;
}

const field = <Schema extends z.ZodType>(
  schema: Schema,
  toVendor: (value: z.output<Schema>, name: string) => unknown = (value) => value,
): WriteField => ({
  schema,
  isPicklist: false,
  toVendor: (value, name) => toVendor(value as z.output<Schema>, name),
});

export const idField = (about: string): WriteField => field(id(about), (value: Id) => toVendorId(value));
export const textField = (maxChars: number, about: string): WriteField => field(text(maxChars, about));
export const timeField = (about: string): WriteField =>
  field(time(about), (value, name) => toVendorTime(name, value));
export const flagField = (about: string): WriteField => field(z.boolean().describe(about));
export const numberField = (about: string, min = 0, max = 1e12): WriteField =>
  field(z.number().min(min).max(max).describe(about));
/** A flag that Autotask keeps as 0 and 1. */
export const numberFlagField = (about: string): WriteField =>
  field(z.union([z.boolean(), z.literal(0), z.literal(1)]).describe(about), (value) => Number(value));
export const choiceField = (about: string): WriteField => ({ ...field(picklist(about)), isPicklist: true });
