import { ToolFailure } from '../kit/failure.ts';
import { collectPages, type Collected, type Page, type Position } from '../kit/pages.ts';
import { isObject } from '../kit/rpc.ts';
import type { CallContext } from '../kit/surface.ts';
import type { Connection } from './connection.ts';
import { withUtcMark } from './dates.ts';
import { type Condition, filterOf } from './filter.ts';

export type AutotaskRecord = Readonly<Record<string, unknown>>;
export type Id = number | string;

export interface Query {
  readonly conditions: readonly Condition[];
  readonly includeFields?: readonly string[] | undefined;
  /** Records at most. */
  readonly cap: number;
  /** Where an earlier query stopped; the cursor is the link to a page. */
  readonly from?: Position<string> | undefined;
}

/** The records of one account. All throw ToolFailure. */
export interface Records {
  /** `path` is that of the collection: `Tickets`, or `Tickets/5/Attachments`. NOT_FOUND if there is none. */
  get(path: string, id: Id, signal: AbortSignal): Promise<AutotaskRecord>;
  query(entity: string, query: Query, call: CallContext): Promise<Collected<AutotaskRecord, string>>;
  count(entity: string, conditions: readonly Condition[], signal: AbortSignal): Promise<number>;
  create(path: string, body: AutotaskRecord, signal: AbortSignal): Promise<Id>;
  /** Only the fields of `body` change; it must hold the id. */
  update(path: string, body: AutotaskRecord, signal: AbortSignal): Promise<Id>;
  /** Anything else that is only read. */
  read(path: string, signal: AbortSignal): Promise<AutotaskRecord>;
}

/** The vendor takes no more in one page. */
const maxPageSize = 500;

export function createRecords(connection: Connection): Records {
  const write = async (method: 'POST' | 'PATCH', path: string, body: AutotaskRecord, signal: AbortSignal) => {
    const answer = await connection.request({ method, path, body, isRead: false, signal });
    const { itemId } = answer;
    if (typeof itemId === 'number' || typeof itemId === 'string') return itemId;
    throw new ToolFailure('BAD_REPLY', 'Autotask accepted the record and did not say its id', {
      executed: 'unknown',
    });
  };
  const read = (path: string, signal: AbortSignal) =>
    connection.request({ method: 'GET', path, isRead: true, signal });
  return {
    async get(path, id, signal) {
      const answer = await read(`${path}/${encodeURIComponent(id)}`, signal);
      const { item, items } = answer;
      // Children come as a list of one; a missing record as `item: null` or, elsewhere, as a 404.
      const found: unknown = Array.isArray(items) ? items[0] : item;
      if (isObject(found)) return marked(found);
      throw new ToolFailure('NOT_FOUND', `There is no record ${id} in ${path}`);
    },
    query: (entity, query, call) => queryPages(connection, entity, query, call),
    async count(entity, conditions, signal) {
      const path = `${entity}/query/count`;
      const body = { filter: filterOf(conditions) };
      const { queryCount } = await connection.request({ method: 'POST', path, body, isRead: true, signal });
      if (typeof queryCount === 'number') return queryCount;
      throw new ToolFailure('BAD_REPLY', 'Autotask did not say how many there are');
    },
    create: (path, body, signal) => write('POST', path, body, signal),
    update: (path, body, signal) => write('PATCH', path, body, signal),
    read,
  };
}

function queryPages(
  connection: Connection,
  entity: string,
  { conditions, includeFields, cap, from }: Query,
  call: CallContext,
): Promise<Collected<AutotaskRecord, string>> {
  const filter = filterOf(conditions);
  const first = {
    filter,
    MaxRecords: Math.min(maxPageSize, cap),
    // Pages go by id: without it there is no second one.
    ...(includeFields && { IncludeFields: [...new Set(['id', ...includeFields])] }),
  };
  const fetchPage = async (link: string | undefined): Promise<Page<AutotaskRecord, string>> => {
    const { signal } = call;
    const answer =
      link === undefined
        ? await connection.request({
            method: 'POST',
            path: `${entity}/query`,
            body: first,
            isRead: true,
            signal,
          })
        : await nextPage(connection, entity, { link, filter, signal });
    return readPage(answer);
  };
  return collectPages(fetchPage, {
    cap,
    from,
    onPage: (pages, items) => {
      if (pages > 1) call.progress(items, undefined, `${items} records`);
    },
  });
}

interface NextPage {
  readonly link: string;
  readonly filter: readonly Condition[];
  readonly signal: AbortSignal;
}

/** How a next page is asked for is not documented: most clients POST the same filter to its link, some GET the link. */
async function nextPage(
  connection: Connection,
  entity: string,
  { link, filter, signal }: NextPage,
): Promise<AutotaskRecord> {
  const url = URL.canParse(link) ? new URL(link) : undefined;
  if (!url || !new RegExp(`/${entity}/query(/\\w+)?$`, 'i').test(url.pathname))
    throw new ToolFailure('BAD_REPLY', `A link to a next page does not lead to ${entity}`);
  try {
    return await connection.request({ method: 'POST', path: link, body: { filter }, isRead: true, signal });
  } catch (thrown) {
    if (!(thrown instanceof ToolFailure) || thrown.status !== 405) throw thrown;
    return connection.request({ method: 'GET', path: link, isRead: true, signal });
  }
}

function readPage({ items, pageDetails }: AutotaskRecord): Page<AutotaskRecord, string> {
  if (!Array.isArray(items)) throw new ToolFailure('BAD_REPLY', 'The answer of Autotask has no items');
  const link = isObject(pageDetails) ? pageDetails['nextPageUrl'] : undefined;
  return {
    items: items.filter(isObject).map(marked),
    next: typeof link === 'string' && link !== '' ? link : undefined,
  };
}

const marked = (record: Readonly<Record<string, unknown>>): AutotaskRecord =>
  Object.fromEntries(Object.entries(record).map(([field, value]) => [field, withUtcMark(field, value)]));
