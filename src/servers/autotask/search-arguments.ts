import { z } from 'zod';
import { id, picklist, text, time } from './arguments.ts';
import { endOfDay, toVendorTime } from './dates.ts';
import type { Field } from './field-info.ts';
import { anyOf, type Condition, contains, equal, personIsCalled } from './filter.ts';
import { valueOf } from './picklists.ts';
import type { AutotaskRecord, Id } from './records.ts';

export interface ArgumentPlace {
  readonly name: string;
  readonly entity: string;
  /** Of the entity, where the argument is a list's value. */
  readonly fields: readonly Field[];
  readonly beside: AutotaskRecord;
}

/** One argument of a search, and the condition it becomes. */
export interface SearchArgument {
  readonly schema: z.ZodType;
  readonly isPicklist: boolean;
  condition(value: unknown, place: ArgumentPlace): Condition;
}

const argument = <Schema extends z.ZodType>(
  schema: Schema,
  condition: (value: z.output<Schema>, place: ArgumentPlace) => Condition,
  isPicklist = false,
): SearchArgument => ({
  schema: schema.optional(),
  isPicklist,
  condition: (value, place) => condition(value as z.output<Schema>, place),
});

/** The field is the one the argument is called after, unless `field` says another. */
export const isId = (about: string, field?: string): SearchArgument =>
  argument(id(about), (value: Id, { name }) => equal(field ?? name, value));

export const isChoice = (about: string): SearchArgument =>
  argument(
    picklist(about),
    (written, { name, entity, fields, beside }) =>
      equal(name, valueOf(fields, { entity, field: name, written, beside, isWrite: false })),
    true,
  );

export const isText = (about: string): SearchArgument =>
  argument(text(255, about), (value, { name }) => equal(name, value.trim()));

export const isFlag = (about: string): SearchArgument =>
  argument(z.boolean().describe(about), (value, { name }) => equal(name, value));

/** A flag that Autotask keeps as 0 and 1. */
export const isNumberFlag = (about: string): SearchArgument =>
  argument(z.boolean().describe(about), (value, { name }) => equal(name, value ? 1 : 0));

export const containsIn = (about: string, fields: readonly string[]): SearchArgument =>
  argument(text(255, about), (value) => anyOf(fields.map((field) => contains(field, value.trim()))));

export const personCalled = (about: string): SearchArgument =>
  argument(text(255, about), (value) => personIsCalled(value));

export const notBefore = (about: string, field: string): SearchArgument =>
  argument(time(about), (value, { name }) => ({ op: 'gte', field, value: toVendorTime(name, value) }));

/** A date alone means the whole of that day. */
export const notAfter = (about: string, field: string): SearchArgument =>
  argument(time(about), (value, { name }) => {
    const end = endOfDay(name, value);
    return end === undefined
      ? { op: 'lte', field, value: toVendorTime(name, value) }
      : { op: 'lt', field, value: end };
  });
