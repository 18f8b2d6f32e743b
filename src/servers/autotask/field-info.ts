import type { Clock } from '../kit/clock.ts';
import { isObject } from '../kit/rpc.ts';
import type { AutotaskRecord, Records } from './records.ts';

export type ListValue = number | string;

export interface PicklistValue {
  /** A number nearly always; of attachments' types a text. */
  readonly value: ListValue;
  readonly label: string;
  readonly isActive: boolean;
  readonly isDefault: boolean;
  /** For lists that depend on another field: that field's value. */
  readonly parentValue: ListValue | undefined;
  readonly sortOrder: number;
}

export interface Field {
  readonly name: string;
  readonly dataType: string;
  readonly length: number | undefined;
  readonly isRequired: boolean;
  readonly isReadOnly: boolean;
  readonly isQueryable: boolean;
  readonly references: string | undefined;
  readonly picklist: readonly PicklistValue[] | undefined;
  readonly picklistParentField: string | undefined;
}

/** What this account's records look like: an account can rename, add and switch off every value of a list. */
export interface FieldInfo {
  fields(entity: string): Promise<readonly Field[]>;
}

/** An hour: lists seldom change, and each look costs one of 10,000 requests. */
const keepMs = 3_600_000;

export function createFieldInfo(records: Records, clock: Clock): FieldInfo {
  const known = new Map<string, { readonly until: number; readonly fields: Promise<readonly Field[]> }>();
  return {
    fields(entity) {
      const found = known.get(entity);
      if (found && clock.now() < found.until) return found.fields;
      // Not a caller's own signal: others wait for the same answer.
      const { signal } = new AbortController();
      const fields = records
        .read(`${entity}/entityInformation/fields`, signal)
        .then(({ fields: list }) => (Array.isArray(list) ? list.filter(isObject).map(readField) : []));
      known.set(entity, { until: clock.now() + keepMs, fields });
      fields.catch(() => {
        if (known.get(entity)?.fields === fields) known.delete(entity);
      });
      return fields;
    },
  };
}

function readField(raw: AutotaskRecord): Field {
  const { picklistValues: values } = raw;
  return {
    name: textOf(raw['name']) ?? '',
    dataType: textOf(raw['dataType']) ?? 'unknown',
    length: numberOf(raw['length']),
    isRequired: raw['isRequired'] === true,
    isReadOnly: raw['isReadOnly'] === true,
    isQueryable: raw['isQueryable'] !== false,
    references: textOf(raw['referenceEntityType']),
    picklist:
      raw['isPickList'] === true && Array.isArray(values)
        ? values.filter(isObject).map(readValue)
        : undefined,
    picklistParentField: textOf(raw['picklistParentValueField']),
  };
}

function readValue(raw: AutotaskRecord): PicklistValue {
  return {
    value: listValueOf(raw['value']) ?? '',
    label: textOf(raw['label']) ?? '',
    isActive: raw['isActive'] !== false,
    isDefault: raw['isDefaultValue'] === true,
    parentValue: listValueOf(raw['parentValue']),
    sortOrder: numberOf(raw['sortOrder']) ?? 0,
  };
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
const listValueOf = (value: unknown): ListValue | undefined => numberOf(value) ?? textOf(value);
const numberOf = (value: unknown): number | undefined => {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : undefined;
};
