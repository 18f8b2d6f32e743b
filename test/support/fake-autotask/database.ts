import { type FakeAccount } from './accounts.ts';
import { complaintsAbout, type FakeRecord, fulfils } from './filter.ts';
import { collections } from './vendor-fields.ts';

/** What the API answers: a status and a body. */
export interface FakeAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export const ok = (body: unknown): FakeAnswer => ({ status: 200, body });
/** Autotask's way to refuse what was sent. */
export const refused = (...errors: readonly string[]): FakeAnswer => ({ status: 500, body: { errors } });

/** Agreed upon by two sources that were made from the API's own field information. */
const mandatory: Readonly<Record<string, readonly string[]>> = {
  Tickets: ['companyID', 'title', 'status', 'priority'],
  TicketNotes: ['description', 'noteType', 'publish'],
  TicketAttachments: ['title', 'fullPath', 'data', 'attachmentType', 'publish'],
  Companies: ['companyName', 'companyType', 'phone', 'ownerResourceID'],
  Contacts: ['firstName', 'lastName', 'isActive'],
  Projects: ['companyID', 'projectName', 'projectType', 'startDateTime', 'endDateTime', 'status'],
  Tasks: ['title', 'status', 'taskType'],
  TimeEntries: ['resourceID', 'roleID'],
  ConfigurationItems: ['companyID', 'productID', 'isActive'],
  Opportunities: [
    ...[
      'companyID',
      'ownerResourceID',
      'title',
      'stage',
      'status',
      'amount',
      'cost',
      'probability',
      'startDate',
    ],
    ...['projectedCloseDate', 'useQuoteTotals'],
  ],
};

const fieldsOf = (entity: string): [name: string, type: string][] =>
  collections[entity]!.fields.split(' ').map((each) => each.split(':') as [string, string]);
const namesOf = (entity: string): Set<string> =>
  new Set(fieldsOf(entity).map(([name]) => name.toLowerCase()));

export interface QueryBody {
  readonly filter?: unknown;
  readonly MaxRecords?: unknown;
  readonly IncludeFields?: readonly string[];
}

interface PageWanted {
  /** From 0. */
  readonly page: number;
  readonly size: number;
  /** The link to another one. */
  readonly linkTo: (page: number) => string;
}

export function query(
  { records }: FakeAccount,
  entity: string,
  body: QueryBody,
  { page, size, linkTo }: PageWanted,
): FakeAnswer {
  const found = (records[entity] ?? []).filter((record) => fulfils(record, (body.filter ?? []) as never));
  const complaints = complaintsAboutQuery(entity, body, size, found.length);
  if (complaints.length > 0) return refused(...complaints);
  const items = found.slice(page * size, (page + 1) * size);
  const pageDetails = {
    count: items.length,
    requestCount: size,
    prevPageUrl: page > 0 ? linkTo(page - 1) : null,
    nextPageUrl: found.length > (page + 1) * size ? linkTo(page + 1) : null,
  };
  return ok({ items: items.map((record) => listed(record, body.IncludeFields)), pageDetails });
}

function complaintsAboutQuery(entity: string, body: QueryBody, size: number, found: number): string[] {
  const names = namesOf(entity);
  const complaints = complaintsAbout(body.filter, entity, names);
  if (!Number.isInteger(size) || size < 1 || size > 500)
    complaints.push('The MaxRecords value must be between 1 and 500.');
  const { IncludeFields: fields = ['id'] } = body;
  if (found > 500 && !fields.includes('id'))
    complaints.push('IncludeFields must contain id when there are more than 500 records.');
  const unknown = fields.filter((name) => !names.has(name.toLowerCase()));
  return complaints.concat(unknown.map((name) => `Unable to find ${name} in the ${entity} Entity.`));
}

/** A list never has the contents of files. */
function listed({ data: _data, ...record }: FakeRecord, fields: readonly string[] | undefined): FakeRecord {
  if (!fields) return record;
  const wanted = new Set(fields.map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(record).filter(([name]) => wanted.has(name.toLowerCase())));
}

export function count({ records }: FakeAccount, entity: string, body: QueryBody): FakeAnswer {
  const complaints = complaintsAbout(body.filter, entity, namesOf(entity));
  if (complaints.length > 0) return refused(...complaints);
  return ok({
    queryCount: (records[entity] ?? []).filter((record) => fulfils(record, body.filter as never)).length,
  });
}

export function create(account: FakeAccount, entity: string, body: FakeRecord): FakeAnswer {
  const missing = (mandatory[entity] ?? []).filter((name) => body[name] === undefined);
  const complaints = [
    ...missing.map((name) => `Missing Required Field: ${name}.`),
    ...complaintsAboutValues(account, entity, body),
  ];
  if (complaints.length > 0) return refused(...complaints);
  const list = (account.records[entity] ??= []);
  const id = Math.max(0, ...list.map((record) => Number(record['id']))) + 1;
  list.push({ id, ...body });
  return ok({ itemId: id });
}

export function update(account: FakeAccount, entity: string, body: FakeRecord): FakeAnswer {
  const record = account.records[entity]?.find((each) => String(each['id']) === String(body['id']));
  if (!record) return refused(`No matching records found for ${String(body['id'])}.`);
  const complaints = complaintsAboutValues(account, entity, body);
  if (complaints.length > 0) return refused(...complaints);
  Object.assign(record, body);
  return ok({ itemId: record['id'] });
}

function complaintsAboutValues(account: FakeAccount, entity: string, body: FakeRecord): string[] {
  const types = new Map(fieldsOf(entity));
  const complaints = Object.entries(body)
    .filter(([name]) => name !== 'userDefinedFields' || !collections[entity]!.hasUserDefinedFields)
    .flatMap(([name, value]) => complaintsAboutValue(account, entity, [name, types.get(name)], value));
  const { assignedResourceID: who, assignedResourceRoleID: role } = body;
  const pairs = account.records['ResourceRoles'] ?? [];
  if (typeof who === 'number' && !pairs.some((pair) => pair['resourceID'] === who && pair['roleID'] === role))
    complaints.push('The combination of assignedResourceID and assignedResourceRoleID is not valid.');
  return complaints;
}

function complaintsAboutValue(
  { picklists }: FakeAccount,
  entity: string,
  [name, type]: readonly [string, string | undefined],
  value: unknown,
): string[] {
  if (type === undefined) return [`Unable to find ${name} in the ${entity} Entity.`];
  if (!fits(type, value)) return [`The value of ${name} has the wrong type.`];
  const list = picklists[entity]?.[name];
  if (!list || value === null || list.some((each) => each.value === value)) return [];
  return [`Picklist value [${JSON.stringify(value)}] does not exist for ${name}.`];
}

function fits(type: string, value: unknown): boolean {
  if (value === null) return true;
  if (type === 'n') return typeof value === 'number';
  if (type === 'b') return typeof value === 'boolean';
  return (
    typeof value === 'string' && (type !== 'd' || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value))
  );
}

const dataTypes: Readonly<Record<string, string>> = {
  n: 'integer',
  b: 'boolean',
  d: 'datetime',
  s: 'string',
};

export function fieldInformation({ picklists }: FakeAccount, entity: string): FakeAnswer {
  const required = new Set(mandatory[entity]);
  const fields = fieldsOf(entity).map(([name, type]) => {
    const list = picklists[entity]?.[name];
    return {
      name,
      dataType: dataTypes[type],
      length: 0,
      isRequired: required.has(name),
      isReadOnly: name === 'id',
      isQueryable: !['creatorType', 'lastActivityPersonType'].includes(name),
      isReference: name.endsWith('ID'),
      referenceEntityType: name.endsWith('ID') ? name.replace(/ID$/, '') : '',
      isPickList: list !== undefined,
      picklistValues:
        list?.map((each, sortOrder) => ({
          isActive: true,
          isSystem: false,
          sortOrder,
          ...each,
          value: String(each.value),
          parentValue: each.parentValue === undefined ? '' : String(each.parentValue),
        })) ?? null,
      picklistParentValueField: name === 'subIssueType' ? 'issueType' : '',
      isSupportedWebhookField: false,
    };
  });
  return ok({ fields });
}
