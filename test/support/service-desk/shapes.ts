/** What the API takes, field by field. What is not in here is a mistake of whoever sends it. */
type Check = (value: unknown) => boolean;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const hasOnly = (value: unknown, ...keys: string[]): boolean =>
  isObject(value) && Object.keys(value).length === 1 && keys.includes(Object.keys(value)[0] ?? '');
const isId: Check = (value) => typeof value === 'string' && /^\d{1,19}$/.test(value);

const text: Check = (value) => typeof value === 'string';
const line: Check = (value) => typeof value === 'string' && value.length <= 250 && !value.includes('\n');
const flag: Check = (value) => typeof value === 'boolean';
const lookup: Check = (value) =>
  hasOnly(value, 'name', 'id') &&
  (isId((value as { id?: unknown }).id) || text((value as { name?: unknown }).name));
const person: Check = (value) =>
  hasOnly(value, 'email_id', 'id') &&
  (isId((value as { id?: unknown }).id) ||
    /^\S+@\S+$/.test(String((value as { email_id?: unknown }).email_id)));
/** Milliseconds as a text, and nothing beside. */
const time: Check = (value) =>
  hasOnly(value, 'value') &&
  /^\d{12,14}$/.test(String((value as { value: unknown }).value)) &&
  typeof (value as { value: unknown }).value === 'string';
const map: Check = isObject;

const request = {
  subject: line,
  description: text,
  requester: person,
  technician: person,
  priority: lookup,
  status: lookup,
  urgency: lookup,
  impact: lookup,
  category: lookup,
  subcategory: lookup,
  item: lookup,
  group: lookup,
  site: lookup,
  mode: lookup,
  level: lookup,
  request_type: lookup,
  udf_fields: map,
  resolution: ((value) => hasOnly(value, 'content')) as Check,
};
const problem = {
  title: line,
  description: text,
  reported_by: person,
  technician: person,
  priority: lookup,
  status: lookup,
  urgency: lookup,
  impact: lookup,
  category: lookup,
  subcategory: lookup,
  group: lookup,
  site: lookup,
  udf_fields: map,
};
const change = {
  title: line,
  description: text,
  template: lookup,
  stage: lookup,
  status: lookup,
  comment: text,
  change_type: lookup,
  reason_for_change: lookup,
  priority: lookup,
  urgency: lookup,
  impact: lookup,
  risk: lookup,
  group: lookup,
  change_owner: person,
  change_requester: person,
  change_manager: person,
  scheduled_start_time: time,
  scheduled_end_time: time,
  emergency: flag,
  udf_fields: map,
};
const project = {
  title: line,
  description: text,
  owner: person,
  priority: lookup,
  project_type: lookup,
  scheduled_start_time: time,
  scheduled_end_time: time,
  status: lookup,
  udf_fields: map,
};
const task = {
  title: line,
  description: text,
  owner: person,
  scheduled_start_time: time,
  scheduled_end_time: time,
  priority: lookup,
};
const asset = {
  name: line,
  product: lookup,
  state: lookup,
  user: person,
  department: lookup,
  site: lookup,
  location: line,
  asset_tag: line,
  serial_number: line,
  udf_fields: map,
};
const request_note = {
  description: text,
  show_to_requester: flag,
  notify_technician: flag,
  mark_first_response: flag,
  add_to_linked_requests: flag,
};
const closure: Readonly<Record<string, Check>> = {
  requester_ack_resolution: flag,
  requester_ack_comments: text,
  closure_comments: text,
  closure_code: lookup,
};

export const bodies: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  request,
  problem,
  change,
  project,
  task,
  asset,
  request_note,
  note: { description: text },
  approval: { comments: line },
  closing: {
    closure_info: (value) =>
      isObject(value) && Object.entries(value).every(([key, each]) => closure[key]?.(each) ?? false),
  },
};

/** What is wrong with the fields of an entity; empties (null) are allowed on a change. */
export function mistakesIn(kind: string, entity: unknown, mayBeNull: boolean): readonly string[] {
  const fields = bodies[kind];
  if (!fields || !isObject(entity)) return [`${kind}: not an object`];
  return Object.entries(entity).flatMap(([key, value]) => {
    const check = fields[key];
    if (!check) return [`${kind}.${key}: unknown field`];
    return check(value) || (mayBeNull && value === null) ? [] : [`${kind}.${key}: ${JSON.stringify(value)}`];
  });
}

const conditions = [
  'is',
  'is not',
  'contains',
  'not contains',
  'starts with',
  'ends with',
  'greater than',
  'lesser than',
  'greater or equal',
  'lesser or equal',
  'between',
];
const listKeys: Readonly<Record<string, Check>> = {
  row_count: (value) => Number.isInteger(value) && Number(value) >= 1,
  start_index: (value) => Number.isInteger(value) && Number(value) >= 1,
  sort_field: line,
  sort_order: (value) => value === 'asc' || value === 'desc',
  get_total_count: flag,
  fields_required: (value) => Array.isArray(value) && value.every(line),
  search_fields: (value) => isObject(value) && Object.values(value).every(line),
  search_criteria: (value) => Array.isArray(value) && value.length > 0 && value.every(isCriterion),
};

function isCriterion(value: unknown, at: number): boolean {
  if (!isObject(value)) return false;
  const { field, condition, value: one, values, logical_operator: operator, ...rest } = value;
  const isJoined = at === 0 ? operator === undefined : operator === 'AND' || operator === 'OR';
  const hasOne = (one === undefined) !== (values === undefined);
  return (
    Object.keys(rest).length === 0 &&
    line(field) &&
    conditions.includes(String(condition)) &&
    isJoined &&
    hasOne
  );
}

export function mistakesInList(info: unknown): readonly string[] {
  if (!isObject(info)) return ['list_info: not an object'];
  return Object.entries(info).flatMap(([key, value]) => {
    const check = listKeys[key];
    return check?.(value) ? [] : [`list_info.${key}: ${JSON.stringify(value)}`];
  });
}
