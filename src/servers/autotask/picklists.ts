import { ToolFailure } from '../kit/failure.ts';
import type { Field, ListValue, PicklistValue } from './field-info.ts';
import type { AutotaskRecord } from './records.ts';

export interface Choice {
  readonly entity: string;
  readonly field: string;
  /** As the client wrote it. */
  readonly written: string | number;
  /** The values of other fields that are written or searched for too, for lists that depend on one. */
  readonly beside: AutotaskRecord;
  /** A new record may not have a value that is switched off; an old one may. */
  readonly isWrite: boolean;
}

/** A list's value, from its number or its label. Throws INVALID_INPUT and says which labels there are. */
export function valueOf(fields: readonly Field[], choice: Choice): ListValue {
  const { field: name, written, isWrite } = choice;
  if (typeof written === 'number') return written;
  const field = fields.find((each) => each.name.toLowerCase() === name.toLowerCase());
  const values = (field?.picklist ?? []).filter(({ isActive }) => isActive || !isWrite);
  const parent =
    field?.picklistParentField === undefined ? undefined : choice.beside[field.picklistParentField];
  const found = valuesCalled(written, values, parent);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  // A number that is not on the list is for Autotask to judge: what is known of it may be an hour old.
  if (found.length === 0 && /^-?\d{1,15}$/.test(written.trim())) return Number(written);
  throw new ToolFailure('INVALID_INPUT', noSingleValue(choice, found), { hint: hintFor(values, parent) });
}

function valuesCalled(
  written: string,
  values: readonly PicklistValue[],
  parent: unknown,
): readonly ListValue[] {
  const name = written.trim().toLowerCase();
  const byValue = values.find(({ value }) => String(value).toLowerCase() === name);
  if (byValue) return [byValue.value];
  const called = values.filter(({ label }) => label.toLowerCase() === name);
  const fitting = parent === undefined ? called : called.filter(({ parentValue }) => parentValue === parent);
  return [...new Set(fitting.map(({ value }) => value))];
}

function noSingleValue({ entity, field, written }: Choice, numbers: readonly ListValue[]): string {
  if (numbers.length === 0)
    return `${field} of ${entity} has no value called "${String(written).slice(0, 100)}" here`;
  return `${field} of ${entity} has several values of this name: ${numbers.join(', ')}; write the number`;
}

function hintFor(values: readonly PicklistValue[], parent: unknown): string {
  const fitting = parent === undefined ? values : values.filter(({ parentValue }) => parentValue === parent);
  const shown = fitting.slice(0, 50).map(({ value, label }) => `${label} (${value})`);
  return shown.length > 0 ? `There are: ${shown.join(', ')}` : 'See get_field_info';
}

/** What a new record gets where nothing is said: the account's own default, or the value of the usual name. */
export function defaultValue(fields: readonly Field[], name: string, usual: string): ListValue | undefined {
  const values =
    fields.find((field) => field.name === name)?.picklist?.filter(({ isActive }) => isActive) ?? [];
  const found =
    values.find(({ isDefault }) => isDefault) ??
    values.find(({ label }) => label.toLowerCase() === usual.toLowerCase());
  return found?.value;
}

/** The labels of a record's list values, by field. */
export function labelsOf(fields: readonly Field[], record: AutotaskRecord): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (const { name, picklist } of fields) {
    const value = record[name];
    const found = picklist?.find((each) => each.value === value);
    if (found) labels[name] = found.label;
  }
  return labels;
}
