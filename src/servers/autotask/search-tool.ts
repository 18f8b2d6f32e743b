import { z } from 'zod';
import { ToolFailure } from '../kit/failure.ts';
import { readPageToken, writePageToken } from '../kit/page-token.ts';
import type { Position } from '../kit/pages.ts';
import type { CallContext, Tool } from '../kit/surface.ts';
import { defineTool } from '../kit/tool.ts';
import { entityMeta, includeFields, listOutput, maxRecords, pageToken } from './arguments.ts';
import { type Autotask, fieldsIfKnown } from './autotask.ts';
import { entities } from './entities.ts';
import { type Condition, conditionList, conditions } from './filter.ts';
import { withLabels } from './get-tool.ts';
import type { SearchArgument } from './search-arguments.ts';
import { labelsOf } from './picklists.ts';

export interface SearchTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly entity: string;
  /** What records are called, in the log. */
  readonly plural: string;
  readonly arguments: Readonly<Record<string, SearchArgument>>;
}

const defaultCap = 50;
const maxPageSize = 2_000;

/** What a continuation token holds; it was in the client's hands and is checked like any argument. */
const storedSearch = z.strictObject({
  // The client's own and those of the tool's arguments.
  filter: conditionList(100),
  includeFields,
  link: z
    .string()
    .max(1024 ** 2)
    .optional(),
  skip: z.int().min(0).max(maxPageSize),
});
type StoredSearch = z.output<typeof storedSearch>;

const common = {
  filters: conditions.optional(),
  includeFields,
  maxRecords,
  pageSize: z.int().min(1).max(maxPageSize).optional().describe('The same as maxRecords'),
  pageToken,
};

/** A tool that looks for records: its own arguments become conditions, and `filters` can say anything else. */
export function searchTool(autotask: Autotask, search: SearchTool): Tool {
  const own = Object.entries(search.arguments).map(([name, { schema }]) => [name, schema] as const);
  const shape: Record<string, z.ZodType> = Object.fromEntries(own);
  return defineTool({
    name: search.name,
    title: search.title,
    description: `${search.description} All that is given must hold; without anything, all records.`,
    effect: 'read',
    input: z.strictObject({ ...shape, ...common }),
    output: listOutput,
    meta: entityMeta(search.entity),
    async run(args, call) {
      const stored = await startOf(autotask, search, args);
      const cap = args.maxRecords ?? args.pageSize ?? defaultCap;
      return { data: await runSearch(autotask, search, { stored, cap }, call) };
    },
  });
}

/** A tool that looks for any kind of record. */
export function anySearchTool(autotask: Autotask): Tool {
  const name = 'search_records';
  return defineTool({
    name,
    title: 'Search any records',
    description:
      'Records of any kind that fulfil all of the filters. get_field_info says which fields there are.',
    effect: 'read',
    input: z.strictObject({ entity: z.enum(entities), ...common }),
    output: listOutput,
    async run(args, call) {
      const { entity } = args;
      // A token is bound to the kind of record it was given for.
      const search = { name: `${name}:${entity}`, entity, plural: `records of ${entity}`, arguments: {} };
      const stored = await startOf(autotask, search, args);
      const cap = args.maxRecords ?? args.pageSize ?? defaultCap;
      return { data: await runSearch(autotask, search, { stored, cap }, call) };
    },
  });
}

type Search = Pick<SearchTool, 'name' | 'entity' | 'plural' | 'arguments'>;

function restored(name: string, token: string): StoredSearch {
  const read = storedSearch.safeParse(readPageToken(name, token));
  if (read.success) return read.data;
  throw new ToolFailure('INVALID_INPUT', 'pageToken was changed', { hint: 'Give it back as it came' });
}

async function startOf(
  autotask: Autotask,
  search: Search,
  args: Readonly<Record<string, unknown>>,
): Promise<StoredSearch> {
  const { pageToken: token, filters, includeFields: fields } = args;
  if (typeof token === 'string') return restored(search.name, token);
  const own = await conditionsOf(autotask, search, args);
  const further = (filters ?? []) as z.output<typeof conditions>;
  return {
    filter: [...own, ...further],
    includeFields: fields as string[] | undefined,
    skip: 0,
  };
}

/** The search tool's own arguments as conditions. */
export async function conditionsOf(
  autotask: Autotask,
  { entity, arguments: known }: Pick<SearchTool, 'entity' | 'arguments'>,
  args: Readonly<Record<string, unknown>>,
): Promise<readonly Condition[]> {
  const found: Condition[] = [];
  for (const [name, argument] of Object.entries(known)) {
    const value = args[name];
    // Many clients send an empty text for what they do not mean.
    if (value === undefined || (typeof value === 'string' && value.trim() === '')) continue;
    const fields = argument.isPicklist ? await autotask.fieldInfo.fields(entity) : [];
    found.push(argument.condition(value, { name, entity, fields, beside: args }));
  }
  return found;
}

interface Start {
  readonly stored: StoredSearch;
  readonly cap: number;
}

async function runSearch(
  autotask: Autotask,
  { name, entity, plural }: Search,
  { stored, cap }: Start,
  call: CallContext,
): Promise<z.input<typeof listOutput>> {
  const { filter, includeFields: names, link, skip } = stored;
  const from: Position<string> = { cursor: link, skip };
  const query = { conditions: filter, includeFields: names, cap, from };
  const { items, next, pages } = await autotask.records.query(entity, query, call);
  const fields = items.length > 0 ? await fieldsIfKnown(autotask, entity) : [];
  const extent = next ? 'MORE with nextPageToken' : 'COMPLETE dataset for accuracy';
  autotask.log.info('records.read', `Retrieved ${items.length} ${plural} across ${pages} pages (${extent})`);
  return {
    items: items.map((record) => withLabels(record, labelsOf(fields, record))),
    count: items.length,
    complete: next === undefined,
    ...(next && { nextPageToken: writePageToken(name, { ...stored, link: next.cursor, skip: next.skip }) }),
  };
}
