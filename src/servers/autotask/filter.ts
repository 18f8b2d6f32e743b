import { z } from 'zod';

const comparisons = ['eq', 'noteq', 'gt', 'gte', 'lt', 'lte', 'beginsWith', 'endsWith', 'contains'] as const;
const memberships = ['in', 'notIn'] as const;
const presences = ['exist', 'notExist'] as const;
const groups = ['and', 'or'] as const;

/** Groups in groups; deeper nobody writes by hand. */
const maxDepth = 4;

const scalar = z.union([z.string().max(8_000), z.number(), z.boolean()]);
const fieldName = /^[\p{L}\p{N}_ .-]{1,100}$/u;

/** One condition, or a group of them, as Autotask's query API has it. */
export interface Condition {
  readonly op: string;
  readonly field?: string | undefined;
  readonly value?: string | number | boolean | readonly (string | number | boolean)[] | undefined;
  /** The field is a user-defined one; Autotask allows one of them in a query. */
  readonly udf?: boolean | undefined;
  readonly items?: readonly Condition[] | undefined;
}

/** The outer form of a condition. What belongs to which operator a schema would say at great length; see `complaint`. */
const form = z.strictObject({
  op: z.enum([...comparisons, ...memberships, ...presences, ...groups]),
  field: z.string().optional(),
  value: z.union([scalar, z.array(scalar).min(1).max(500)]).optional(),
  udf: z.boolean().optional(),
  items: z
    .array(z.record(z.string(), z.unknown()))
    .min(1)
    .max(500)
    .optional()
    .describe('Of a group: conditions of this form'),
});
type Form = z.output<typeof form>;

/** At most `max` conditions, and groups of conditions. All of them must hold. */
export const conditionList = (max: number) =>
  z
    .array(form)
    .max(max)
    .superRefine((all, context) => {
      for (const [at, condition] of all.entries()) check(condition, [at], context);
    })
    // Checked all the way down, which the type of `items` does not show.
    .transform((all) => all as readonly Condition[]);

/** What clients may write. */
export const conditions = conditionList(50).describe(
  'Conditions that must all hold. Each is {op, field, value} with op eq, noteq, gt, gte, lt, lte, beginsWith, ' +
    'endsWith, contains; in and notIn with a list as value; exist and notExist without a value; or a group ' +
    '{op: "and" | "or", items: [...]}. udf: true marks a user-defined field, of which Autotask allows one in a query.',
);

type Path = readonly (string | number)[];

function check(condition: Form, path: Path, context: z.RefinementCtx): void {
  const tell = (message: string, at: Path = path): void =>
    context.addIssue({ code: 'custom', message, path: [...at], input: condition });
  const wrong = complaint(condition);
  if (wrong !== undefined) tell(wrong);
  for (const [at, item] of (condition.items ?? []).entries()) {
    const place = [...path, 'items', at];
    const { data, error } = form.safeParse(item);
    if (place.length > 2 * maxDepth) tell(`groups may hold groups, ${maxDepth - 1} deep at most`, place);
    else if (data) check(data, place, context);
    for (const { path: below, message } of error?.issues ?? [])
      tell(message, [...place, ...below.map(String)]);
  }
}

/** What is wrong with one condition by itself. */
function complaint(condition: Form): string | undefined {
  const { op, field, items } = condition;
  if (isIn(groups, op)) return groupComplaint(condition);
  if (items) return 'only the groups "and" and "or" have items';
  if (field === undefined || !fieldName.test(field)) return `"${op}" needs field, the name of one field`;
  return valueComplaint(condition);
}

function groupComplaint({ op, field, value, udf, items }: Form): string | undefined {
  const isPure = [field, value, udf].every((each) => each === undefined);
  return items && isPure
    ? undefined
    : `a group has op and items, and nothing else: {op: "${op}", items: [...]}`;
}

function valueComplaint({ op, value }: Form): string | undefined {
  if (isIn(presences, op)) return value === undefined ? undefined : `"${op}" takes no value`;
  if (isIn(memberships, op)) return Array.isArray(value) ? undefined : `"${op}" needs a list of values`;
  if (value === undefined) return `"${op}" needs a value; for fields without one there is "notExist"`;
  return Array.isArray(value) ? `"${op}" needs one value; for several there is "in"` : undefined;
}

const isIn = (names: readonly string[], op: string): boolean => names.includes(op);

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

/** Words of a name that are looked at one by one. */
const maxWords = 6;

/**
 * The condition that a person is called so: all of it in the first name or in the last name, or its beginning in the first
 * and its end in the last. Where one ends and the other begins nobody can tell: Mary Ann Smith, Ludwig van Beethoven.
 */
export function personIsCalled(name: string): Condition {
  const words = name.trim().split(/\s+/);
  const whole = words.join(' ');
  const splits = words.slice(1, maxWords).map((_, at) => {
    const [first, last] = [words.slice(0, at + 1).join(' '), words.slice(at + 1).join(' ')];
    return { op: 'and', items: [contains('firstName', first), contains('lastName', last)] };
  });
  return anyOf([contains('firstName', whole), contains('lastName', whole), ...splits]);
}
