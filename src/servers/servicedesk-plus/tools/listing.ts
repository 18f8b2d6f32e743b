import { z } from 'zod';
import { ToolFailure } from '../../kit/failure.ts';
import { readPageToken, writePageToken } from '../../kit/page-token.ts';
import { collectPages } from '../../kit/pages.ts';
import { isObject } from '../api/complaints.ts';
import { conditions, type Criterion, listInfo, maxRowCount } from '../api/list-info.ts';
import type { Portal } from '../api/service-desk.ts';
import { id } from './fields.ts';
import { deskTool, type Module, type ToolMaker } from './module.ts';
import { type AnyRecord, anyRecord, idOf } from './records.ts';

/** Rows of one call of a tool: five requests to the API. */
const maxRows = 500;
const defaultRows = 50;

export const paging = {
  rowCount: z.int().min(1).max(maxRows).default(defaultRows).describe('Records at most'),
  startIndex: z.int().min(1).default(1).describe('The first record to give, counted from 1'),
  pageToken: z
    .string()
    .optional()
    .describe('nextPageToken of the answer before, with the same other arguments'),
};

export const ordering = {
  sortField: z.string().max(100).optional().describe('Such as created_time'),
  sortOrder: z.enum(['asc', 'desc']).optional(),
  fields: z.array(z.string().max(100)).max(100).optional().describe('Only these fields of each record'),
  totalCount: z.boolean().optional().describe('Also say how many there are in all'),
};

const criterion = z.strictObject({
  field: z.string().min(1).max(100).describe('Such as status.name, priority.name, requester.email_id'),
  condition: z.enum(conditions),
  value: z.union([z.string(), z.number(), z.boolean()]).optional(),
  values: z
    .array(z.union([z.string(), z.number()]))
    .min(1)
    .max(100)
    .optional(),
});

export const searching = {
  keyword: z.string().min(1).max(250).optional().describe('A part of the title or name'),
  criteria: z.array(criterion).max(20).default([]).describe('All must hold'),
};

interface Searching {
  readonly keyword?: string | undefined;
  readonly criteria: readonly Criterion[];
}

export function searchCriteria(titleField: string, { keyword, criteria }: Searching): readonly Criterion[] {
  if (keyword === undefined && criteria.length === 0) {
    throw new ToolFailure('INVALID_INPUT', 'Give a keyword or at least one criterion');
  }
  const inTitle: Criterion = { field: titleField, condition: 'contains', value: keyword };
  return keyword === undefined ? criteria : [inTitle, ...criteria];
}

/** An argument that stands for a criterion. */
export interface Filter {
  readonly name: string;
  readonly about: string;
  readonly field: string;
  readonly condition?: Criterion['condition'];
}

export interface Listing {
  readonly name: string;
  readonly description: string;
  readonly filters?: readonly Filter[];
}

/** What a listing is asked for; `args` are the tool's, read. */
interface Wanted {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly criteria: readonly Criterion[];
  readonly path: readonly string[];
  readonly key: string;
}

export interface Listed {
  readonly items: readonly AnyRecord[];
  readonly nextPageToken?: string;
  readonly totalCount?: number;
}

export const outputOf = (plural: string) =>
  z.object({
    [plural]: z.array(anyRecord),
    nextPageToken: z.string().optional().describe('There are more: give it back as pageToken'),
    totalCount: z.number().optional(),
  });

export const toData = (plural: string, { items, ...rest }: Listed) => ({ [plural]: items, ...rest });

export function listTool(module: Module, { name, description, filters = [] }: Listing): ToolMaker {
  const { plural, label, read } = module;
  const shape = Object.fromEntries(
    filters.map(({ name: at, about }) => [at, z.string().min(1).optional().describe(about)]),
  );
  return deskTool({
    name,
    title: `List ${label}s`,
    description,
    effect: 'read',
    scopes: read,
    input: z.strictObject({ ...shape, ...paging, ...ordering }),
    output: outputOf(plural),
    async run(args, portal) {
      const criteria = criteriaOf(filters, args);
      const listed = await listRecords(portal, { tool: name, args, criteria, path: [plural], key: plural });
      return { data: toData(plural, listed) };
    },
  });
}

/** Whatever the API can be asked for. */
export function searchTool(module: Module, name = `search_${module.plural}`): ToolMaker {
  const { plural, label, titleField, read } = module;
  return deskTool({
    name,
    title: `Search ${label}s`,
    description: `${capital(label)}s for which all criteria hold. Fields are the API's, with dots into lookups: status.name`,
    effect: 'read',
    scopes: read,
    input: z.strictObject({ ...searching, ...paging, ...ordering }),
    output: outputOf(plural),
    async run(args, portal) {
      const criteria = searchCriteria(titleField, args);
      const listed = await listRecords(portal, { tool: name, args, criteria, path: [plural], key: plural });
      return { data: toData(plural, listed) };
    },
  });
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

export interface Below {
  readonly name: string;
  readonly description: string;
  /** The last segment of the address, and the key in the answer. */
  readonly segment: string;
  readonly label: string;
}

/** What a record has below it: notes, tasks, approval levels. */
export function listBelowTool(module: Module, { name, description, segment, label }: Below): ToolMaker {
  const { plural, idName, read } = module;
  return deskTool({
    name,
    title: `List the ${label}s of a ${module.label}`,
    description,
    effect: 'read',
    scopes: read,
    input: z.strictObject({ [idName]: id(`The ${module.label}'s long id`), ...paging }),
    output: outputOf(segment),
    async run(args, portal) {
      const path = [plural, idOf(args, module), segment];
      const listed = await listRecords(portal, { tool: name, args, criteria: [], path, key: segment });
      return { data: toData(segment, listed) };
    },
  });
}

function criteriaOf(
  filters: readonly Filter[],
  args: Readonly<Record<string, unknown>>,
): readonly Criterion[] {
  return filters
    .filter(({ name }) => args[name] !== undefined)
    .map(({ name, field, condition = 'is' }) => ({ field, condition, value: args[name] }));
}

/** Page after page of at most 100 rows. */
export async function listRecords(
  portal: Portal,
  { tool, args, criteria, path, key }: Wanted,
): Promise<Listed> {
  const {
    rowCount: cap = defaultRows,
    sortField,
    sortOrder,
    fields,
    totalCount: counts,
  } = args as ListArguments;
  const first = startOf(tool, args);
  let totalCount: number | undefined;
  const collected = await collectPages<AnyRecord, number>(
    async (at = first) => {
      const request = {
        rowCount: Math.min(cap, maxRowCount),
        startIndex: at,
        criteria,
        sortField,
        sortOrder,
        fields,
      };
      const input = listInfo({ ...request, totalCount: counts });
      const body = await portal.send({ method: 'GET', path, input });
      const items = rowsIn(body, key);
      const info = isObject(body['list_info']) ? body['list_info'] : {};
      totalCount ??= typeof info['total_count'] === 'number' ? info['total_count'] : undefined;
      // An empty page that promises more would be asked for without end.
      const hasMore = info['has_more_rows'] === true && items.length > 0;
      return { items, next: hasMore ? at + items.length : undefined };
    },
    { cap, onPage: (pages, items) => portal.call.progress(items, totalCount, `${pages} pages`) },
  );
  const { items, next } = collected;
  return {
    items,
    ...(next && { nextPageToken: writePageToken(tool, (next.cursor ?? first) + next.skip) }),
    ...(totalCount !== undefined && { totalCount }),
  };
}

interface ListArguments {
  readonly rowCount?: number;
  readonly sortField?: string;
  readonly sortOrder?: 'asc' | 'desc';
  readonly fields?: readonly string[];
  readonly totalCount?: boolean;
}

/** Where the listing begins. What a page token says is as trustworthy as any argument. */
function startOf(tool: string, { startIndex, pageToken }: Readonly<Record<string, unknown>>): number {
  if (typeof pageToken !== 'string') return Number(startIndex ?? 1);
  const at = readPageToken(tool, pageToken);
  if (typeof at === 'number' && Number.isSafeInteger(at) && at >= 1) return at;
  throw new ToolFailure('INVALID_INPUT', 'pageToken is not a token of this tool');
}

/** No rows may come as an empty list or as no list at all. */
function rowsIn(body: Readonly<Record<string, unknown>>, key: string): readonly AnyRecord[] {
  const beside = Object.entries(body).find(
    ([name, value]) => name !== 'response_status' && Array.isArray(value),
  );
  const isList = body['list_info'] !== undefined || body['response_status'] !== undefined;
  const rows = body[key] ?? beside?.[1] ?? (isList ? [] : undefined);
  if (Array.isArray(rows)) return (rows as unknown[]).filter(isObject);
  throw new ToolFailure('BAD_REPLY', `ServiceDesk Plus answered without ${key}`);
}
