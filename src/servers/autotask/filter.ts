import { z } from 'zod';

const operators = [
  ...['eq', 'noteq', 'gt', 'gte', 'lt', 'lte', 'beginsWith', 'endsWith', 'contains', 'exist', 'notExist'],
  ...['in', 'notIn'],
] as const;
const groups = ['and', 'or'] as const;

const scalar = z.union([z.string().max(8_000), z.number(), z.boolean()]);
const fieldName = z.string().regex(/^[\p{L}\p{N}_ .-]{1,100}$/u, 'name one field');

/** One condition, or a group of them, as Autotask's query API has it. */
export interface Condition {
  readonly op: string;
  readonly field?: string | undefined;
  readonly value?: string | number | boolean | readonly (string | number | boolean)[] | undefined;
  /** The field is a user-defined one; Autotask allows one of them in a query. */
  readonly udf?: boolean | undefined;
  readonly items?: readonly Condition[] | undefined;
}

const simple = z.strictObject({
  op: z.enum(operators),
  field: fieldName,
  value: z.union([scalar, z.array(scalar).min(1).max(500)]).optional(),
  udf: z.boolean().optional(),
});
const nested = z.strictObject({
  op: z.enum(groups),
  items: z.array(simple).min(1).max(500),
});

/** What clients may write: conditions, and groups of conditions. All of them must hold. */
export const conditions = z
  .array(z.union([simple, nested]))
  .max(50)
  .describe(
    'Conditions that must all hold. Each is {op, field, value} with op eq, noteq, gt, gte, lt, lte, beginsWith, ' +
      'endsWith, contains, exist, notExist, in, notIn, or a group {op: "and" | "or", items: [...]}. udf: true marks a ' +
      'user-defined field, of which Autotask allows one in a query.',
  );

/** A query needs a condition: this one holds for every record. */
const everything: Condition = { op: 'gte', field: 'id', value: 0 };

/** The `filter` of a query. */
export const filterOf = (all: readonly Condition[]): readonly Condition[] =>
  all.length > 0 ? all : [everything];

export const equal = (field: string, value: string | number | boolean): Condition => ({
  op: 'eq',
  field,
  value,
});
export const contains = (field: string, value: string): Condition => ({ op: 'contains', field, value });
export const anyOf = (items: readonly Condition[]): Condition => {
  const [only] = items;
  return items.length === 1 && only ? only : { op: 'or', items };
};

/** The condition that a person is called so: in the first name, the last name, or one word in each. */
export function personIsCalled(name: string): Condition {
  const words = name.trim().split(/\s+/);
  const [first = '', ...rest] = words;
  const last = rest.join(' ');
  if (last === '') return anyOf([contains('firstName', first), contains('lastName', first)]);
  return { op: 'and', items: [contains('firstName', first), contains('lastName', last)] };
}
