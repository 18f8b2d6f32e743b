/** Autotask's query language, as its documentation has it: what it refuses, and which records it finds. */
export type FakeRecord = Record<string, unknown>;

interface Condition {
  readonly op: string;
  readonly field?: string;
  readonly value?: unknown;
  readonly udf?: boolean;
  readonly items?: readonly Condition[];
}

const compare: Readonly<Record<string, (own: unknown, value: unknown) => boolean>> = {
  eq: (own, value) => same(own, value),
  noteq: (own, value) => !same(own, value),
  gt: (own, value) => rank(own) > rank(value),
  gte: (own, value) => rank(own) >= rank(value),
  lt: (own, value) => rank(own) < rank(value),
  lte: (own, value) => rank(own) <= rank(value),
  beginsWith: (own, value) => lower(own).startsWith(lower(value)),
  endsWith: (own, value) => lower(own).endsWith(lower(value)),
  contains: (own, value) => lower(own).includes(lower(value)),
  exist: (own) => own !== undefined && own !== null,
  notExist: (own) => own === undefined || own === null,
  in: (own, value) => (value as unknown[]).some((each) => same(own, each)),
  notIn: (own, value) => !(value as unknown[]).some((each) => same(own, each)),
};

const lower = (value: unknown): string =>
  typeof value === 'string' ? value.toLowerCase() : JSON.stringify(value ?? null);
const same = (own: unknown, value: unknown): boolean => lower(own) === lower(value);
const rank = (value: unknown): number | string => {
  if (typeof value === 'number') return value;
  const text = String(value);
  const at = Date.parse(text.endsWith('Z') ? text : `${text}Z`);
  return Number.isNaN(at) ? text : at;
};

/** What Autotask says against a filter; empty if nothing. */
export function complaintsAbout(filter: unknown, entity: string, fields: ReadonlySet<string>): string[] {
  if (!Array.isArray(filter) || filter.length === 0) return ['Unable to parse the filter: it is missing.'];
  const all = flat(filter as Condition[]);
  const complaints = all.flatMap((condition) => complaintsAboutOne(condition, entity, fields));
  if (all.filter(({ udf }) => udf === true).length > 1)
    complaints.push('Queries are limited to one user defined field.');
  const ors = all.filter(({ op }) => op === 'or').reduce((sum, { items = [] }) => sum + items.length, 0);
  if (ors > 500) complaints.push("Queries are limited to 500 or fewer 'OR' conditions.");
  return complaints;
}

function complaintsAboutOne(condition: Condition, entity: string, fields: ReadonlySet<string>): string[] {
  const { op, field = '', udf, value, items } = condition;
  if (groups.has(op)) return Array.isArray(items) && field === '' ? [] : [`The group ${op} has no items.`];
  if (!(op in compare)) return [`Unknown operator ${op}.`];
  if (udf !== true && !fields.has(field.toLowerCase()))
    return [`Unable to find ${field} in the ${entity} Entity.`];
  const wantsList = op === 'in' || op === 'notIn';
  return wantsList === Array.isArray(value) ? [] : [`The value of ${op} has the wrong type.`];
}

const groups = new Set(['and', 'or']);

const flat = (conditions: readonly Condition[]): Condition[] =>
  conditions.flatMap((each) => [each, ...flat(Array.isArray(each.items) ? each.items : [])]);

export function fulfils(record: FakeRecord, filter: readonly Condition[]): boolean {
  return filter.every((condition) => holds(record, condition));
}

function holds(record: FakeRecord, { op, field = '', value, udf, items = [] }: Condition): boolean {
  if (op === 'and') return items.every((each) => holds(record, each));
  if (op === 'or') return items.some((each) => holds(record, each));
  const own = udf === true ? udfOf(record, field) : fieldOf(record, field);
  return compare[op]!(own, value);
}

const fieldOf = (record: FakeRecord, name: string): unknown =>
  Object.entries(record).find(([field]) => field.toLowerCase() === name.toLowerCase())?.[1];

const udfOf = (record: FakeRecord, name: string): unknown =>
  ((record['userDefinedFields'] ?? []) as { name: string; value: unknown }[]).find(
    (each) => each.name === name,
  )?.value;
