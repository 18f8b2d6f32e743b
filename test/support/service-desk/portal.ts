import { mistakesIn, mistakesInList } from './shapes.ts';

export type Row = Record<string, unknown>;
export interface Reply {
  readonly status: number;
  /** An object is sent as JSON, a text as HTML. */
  readonly body: object | string;
}

interface Asked {
  readonly method: string;
  /** Below /api/v3. */
  readonly path: readonly string[];
  readonly input: Row;
}

/** One tenant's portal: what is in it, and what its API does with a request that has come through the door. */
export interface FakePortal {
  readonly name: string;
  /** By plural name, such as `requests` or `cmdb/ci_computer`; `requests/1/notes` is below a record. */
  readonly tables: Map<string, Row[]>;
  /** What this portal lacks or has; sources differ, and both are made. */
  readonly settings: PortalSettings;
}

export interface PortalSettings {
  readonly approveAction: 'approve' | '_approve' | 'neither';
  /** How an unknown address answers: as the API says it, or with a page. */
  readonly unknownAddress: 'json' | 'html';
  readonly people: 'technicians' | 'users';
}

const singular: Readonly<Record<string, string>> = {
  requests: 'request',
  problems: 'problem',
  changes: 'change',
  projects: 'project',
  assets: 'asset',
  solutions: 'solution',
  technicians: 'technician',
  requesters: 'requester',
  users: 'user',
  tasks: 'task',
  approvals: 'approval',
  approval_levels: 'approval_level',
};
const created: Readonly<Record<string, string>> = {
  requests: 'request',
  problems: 'problem',
  changes: 'change',
  projects: 'project',
};
const updated = { ...created, assets: 'asset' };
const mandatory: Readonly<Record<string, string>> = {
  request: 'subject',
  task: 'title',
  note: 'description',
  request_note: 'description',
  problem: 'title',
  change: 'title',
  project: 'title',
};
/** Of a module, or of the portal's setup: `/<name>` and `/<name>/<id>`. */
const plain = new Set([
  'requests',
  'problems',
  'changes',
  'projects',
  'assets',
  'solutions',
  'technicians',
  'requesters',
  'users',
  'categories',
  'priorities',
  'statuses',
  'urgencies',
  'impacts',
  'modes',
  'levels',
  'request_types',
  'groups',
  'sites',
  'templates',
]);
const below: Readonly<Record<string, readonly string[]>> = {
  requests: ['notes', 'close'],
  projects: ['tasks'],
  changes: ['notes', 'approval_levels'],
  categories: ['subcategories'],
};

const fine = { status_code: 2000, status: 'success' };
export const refused = (status: number, code: number, more: object = {}): Reply => ({
  status,
  body: {
    response_status: {
      status_code: 4000,
      status: 'failed',
      messages: [{ status_code: code, type: 'failed', ...more }],
    },
  },
});
export const unknownAddress = (how: 'json' | 'html'): Reply =>
  how === 'json'
    ? refused(404, 4007, { message: 'Invalid URL' })
    : { status: 401, body: '<html><body>Unauthorized</body></html>' };

let nextId = 260_962_000_001_848_088n;
/** Longer than a JSON number can hold. */
export const newId = (): string => String((nextId += 7n) * 10n + 1n).slice(0, 19);

/** What the API does, or a mistake of the caller that no portal's settings explain. */
export function answer(portal: FakePortal, asked: Asked): Reply | { readonly mistake: string } {
  const { method, path, input } = asked;
  const route = routeOf(portal, path.join('/'));
  if (route === 'lacking') return unknownAddress(portal.settings.unknownAddress);
  if (!route) return { mistake: `unknown path ${method} /${path.join('/')}` };
  const kind = route.action ?? (route.id === undefined ? 'table' : 'record');
  const handle = handlers[`${method} ${kind}`];
  return handle?.(portal, route, input) ?? { mistake: `${method} does not go with /${path.join('/')}` };
}

type Handler = (portal: FakePortal, route: Route, input: Row) => Reply | { readonly mistake: string };

const handlers: Readonly<Record<string, Handler>> = {
  'GET table': list,
  'GET record': get,
  'POST table': create,
  'PUT record': update,
  'PUT close': act,
  'PUT approve': act,
  'DELETE record': remove,
};

interface Route {
  readonly table: string;
  /** The last name: `notes` of `requests/1/notes`. */
  readonly plural: string;
  readonly id?: string;
  readonly action?: 'close' | 'approve';
}

const patterns: readonly [RegExp, (parts: readonly string[]) => Route][] = [
  [/^cmdb\/(\w+)$/, ([type = '']) => ({ table: `cmdb/${type}`, plural: type })],
  [/^cmdb\/(\w+)\/(\d+)$/, ([type = '', id = '']) => ({ table: `cmdb/${type}`, plural: type, id })],
  [
    /^requests\/(\d+)\/close$/,
    ([id = '']) => ({ table: 'requests', plural: 'requests', id, action: 'close' }),
  ],
  [/^(\w+)$/, ([table = '']) => ({ table, plural: table })],
  [/^(\w+)\/(\d+)$/, ([table = '', id = '']) => ({ table, plural: table, id })],
  [/^(\w+\/\d+\/(\w+))$/, ([table = '', plural = '']) => ({ table, plural })],
  [/^(changes\/\d+\/approval_levels\/\d+\/approvals)$/, ([table = '']) => ({ table, plural: 'approvals' })],
  [
    /^(changes\/\d+\/approval_levels\/\d+\/approvals)\/(\d+)\/_?approve$/,
    ([table = '', id = '']) => ({ table, plural: 'approvals', id, action: 'approve' }),
  ],
];

function routeOf(portal: FakePortal, path: string): Route | 'lacking' | undefined {
  if (!isKnown(path.split('/'))) return undefined;
  if (isLacking(portal.settings, path)) return 'lacking';
  for (const [pattern, route] of patterns) {
    const match = pattern.exec(path);
    if (match) return route(match.slice(1));
  }
  return undefined;
}

function isKnown([first = '', , third]: readonly string[]): boolean {
  if (first === 'cmdb') return true;
  return plain.has(first) && (third === undefined || (below[first] ?? []).includes(third));
}

function isLacking({ people, approveAction }: PortalSettings, path: string): boolean {
  if (/^(technicians|requesters)\b/.test(path)) return people === 'users';
  return path.endsWith('approve') && !path.endsWith(`/${approveAction}`);
}

const rowsOf = (portal: FakePortal, { table }: Route): Row[] => {
  const rows = portal.tables.get(table) ?? [];
  portal.tables.set(table, rows);
  return rows;
};
const find = (portal: FakePortal, route: Route): Row | undefined =>
  rowsOf(portal, route).find(({ id }) => id === route.id);
const noRecord = (): Reply => refused(404, 4001, { field: 'id', message: 'Unable to find the record' });
const keyOf = ({ plural }: Route): string => singular[plural] ?? plural;

function get(portal: FakePortal, route: Route, input: Row): Reply | { mistake: string } {
  if (Object.keys(input).length > 0) return { mistake: 'input_data on a GET of one record' };
  const row = find(portal, route);
  return row ? { status: 200, body: { response_status: fine, [keyOf(route)]: row } } : noRecord();
}

function list(portal: FakePortal, route: Route, input: Row): Reply | { mistake: string } {
  const { list_info: info = {}, ...rest } = input as { list_info?: Row };
  const mistakes = [...mistakesInList(info), ...Object.keys(rest)];
  if (mistakes.length > 0) return { mistake: mistakes.join('; ') };
  const { row_count: count = 10, start_index: start = 1 } = info as {
    row_count?: number;
    start_index?: number;
  };
  if (count > 100) return refused(400, 4001, { field: 'row_count', message: 'Value should be within 100' });
  const found = matching(rowsOf(portal, route), info);
  const page = found.slice(start - 1, start - 1 + count);
  const more = start - 1 + page.length < found.length;
  const total = info['get_total_count'] === true ? { total_count: found.length } : {};
  const said = { ...info, has_more_rows: more, row_count: page.length, ...total };
  return {
    status: 200,
    body: { response_status: [fine], list_info: said, [route.plural]: page.map((row) => trimmed(row, info)) },
  };
}

function trimmed(row: Row, { fields_required: fields }: Row): Row {
  if (!Array.isArray(fields)) return row;
  return Object.fromEntries(Object.entries(row).filter(([key]) => key === 'id' || fields.includes(key)));
}

function matching(rows: readonly Row[], info: Row): Row[] {
  const criteria = (info['search_criteria'] ?? []) as {
    field: string;
    condition: string;
    value: unknown;
    values?: unknown[];
    logical_operator?: string;
  }[];
  const wanted = Object.entries((info['search_fields'] ?? {}) as Record<string, string>);
  const kept = rows.filter(
    (row) =>
      criteria.every((each) => holds(at(row, each.field), each)) &&
      wanted.every(([field, text]) => String(at(row, field)).includes(text)),
  );
  const field = info['sort_field'] as string | undefined;
  if (field === undefined) return kept;
  const sorted = kept.toSorted((a, b) => (String(at(a, field)) < String(at(b, field)) ? -1 : 1));
  return info['sort_order'] === 'desc' ? sorted.reverse() : sorted;
}

const at = (row: Row, field: string): unknown =>
  field.split('.').reduce<unknown>((value, key) => (value as Row | undefined)?.[key], row);

function holds(
  value: unknown,
  { condition, value: one, values }: { condition: string; value: unknown; values?: unknown[] },
): boolean {
  const text = String(value).toLowerCase();
  const wanted = (values ?? [one]).map((each) => String(each).toLowerCase());
  switch (condition) {
    case 'is':
      return wanted.includes(text);
    case 'is not':
      return !wanted.includes(text);
    case 'contains':
      return wanted.some((each) => text.includes(each));
    case 'starts with':
      return wanted.some((each) => text.startsWith(each));
    default:
      return true;
  }
}

function create(portal: FakePortal, route: Route, input: Row): Reply | { mistake: string } {
  const key = created[route.table] ?? (route.plural === 'tasks' ? 'task' : undefined) ?? noteKey(route);
  if (key === undefined) return { mistake: `nothing is created under ${route.table}` };
  const checked = entityIn(input, key, { as: key, mayBeNull: false });
  if ('mistake' in checked) return checked;
  const needed = mandatory[key] ?? '';
  if (checked.entity[needed] === undefined) return refused(400, 4012, { fields: [needed] });
  const row = { id: newId(), ...stored(checked.entity) };
  rowsOf(portal, route).push(row);
  return { status: 201, body: { response_status: fine, [key]: row } };
}

/** Requests call it `request_note`, changes `note`. */
const noteKey = ({ plural, table }: Route): string | undefined => {
  if (plural !== 'notes') return undefined;
  return table.startsWith('requests/') ? 'request_note' : 'note';
};

function update(portal: FakePortal, route: Route, input: Row): Reply | { mistake: string } {
  const key = (updated as Record<string, string>)[route.table];
  if (key === undefined) return { mistake: `nothing is changed under ${route.table}` };
  const checked = entityIn(input, key, { as: key, mayBeNull: true });
  if ('mistake' in checked) return checked;
  const row = find(portal, route);
  if (!row) return noRecord();
  Object.assign(row, stored(checked.entity));
  return { status: 200, body: { response_status: fine, [key]: row } };
}

function act(portal: FakePortal, route: Route, input: Row): Reply | { mistake: string } {
  const isClose = route.action === 'close';
  const checked = entityIn(input, isClose ? 'request' : 'approval', {
    as: isClose ? 'closing' : 'approval',
    mayBeNull: false,
  });
  if ('mistake' in checked) return checked;
  const row = find(portal, route);
  if (!row) return noRecord();
  Object.assign(
    row,
    isClose
      ? { status: { name: 'Closed' }, ...checked.entity }
      : { status: { name: 'Approved' }, ...checked.entity },
  );
  return { status: 200, body: { response_status: fine, ...(isClose ? {} : { approval: row }) } };
}

function remove(portal: FakePortal, route: Route, input: Row): Reply | { mistake: string } {
  if (route.table !== 'requests' || Object.keys(input).length > 0) return { mistake: 'a DELETE of this' };
  const rows = rowsOf(portal, route);
  const index = rows.findIndex(({ id }) => id === route.id);
  if (index === -1) return noRecord();
  rows.splice(index, 1);
  return { status: 200, body: { response_status: fine } };
}

function entityIn(
  input: Row,
  key: string,
  { as, mayBeNull }: { as: string; mayBeNull: boolean },
): { entity: Row } | { mistake: string } {
  const keys = Object.keys(input);
  if (keys.length !== 1 || keys[0] !== key)
    return { mistake: `input_data has ${keys.join(', ')} where ${key} belongs` };
  const mistakes = mistakesIn(as, input[key], mayBeNull);
  return mistakes.length > 0 ? { mistake: mistakes.join('; ') } : { entity: input[key] as Row };
}

/** Lookups come back with more than was sent. */
const stored = (entity: Row): Row => structuredClone(entity);
