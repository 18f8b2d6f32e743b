import { z } from 'zod';
import { ToolFailure, toFailure } from '../../kit/failure.ts';
import type { CallContext, Tool } from '../../kit/surface.ts';
import { defineTool } from '../../kit/tool.ts';
import { entityMeta, id, includeFields, listValue, recordOutput } from '../arguments.ts';
import { type Autotask, fieldsIfKnown } from '../autotask.ts';
import { entities } from '../entities.ts';
import { conditions } from '../filter.ts';
import { withLabels } from '../get-tool.ts';
import { labelsOf } from '../picklists.ts';
import { anySearchTool, conditionsOf } from '../search-tool.ts';
import { changesOf, updateRecord } from '../write-tool.ts';
import { ticketArguments, ticketUpdate } from './tickets.ts';

const maxBatch = 50;

/** Many at once, and any kind of record: what the founding document had on its road map. */
export const recordTools = (autotask: Autotask): readonly Tool[] => [
  countTool(autotask),
  getManyTool(autotask),
  updateManyTool(autotask),
  summaryTool(autotask),
  anySearchTool(autotask),
];

function countTool({ records }: Autotask): Tool {
  return defineTool({
    name: 'count_records',
    title: 'Count records',
    description: 'How many records of a kind fulfil all conditions; without conditions, how many there are',
    effect: 'read',
    input: z.strictObject({ entity: z.enum(entities), filters: conditions.optional() }),
    output: z.object({ entity: z.string(), count: z.int() }),
    async run({ entity, filters = [] }, { signal }) {
      return { data: { entity, count: await records.count(entity, filters, signal) } };
    },
  });
}

function getManyTool(autotask: Autotask): Tool {
  return defineTool({
    name: 'get_records',
    title: 'Get many records',
    description:
      'Up to 500 records of one kind by their ids, in one request; ids that are not there are named in missing',
    effect: 'read',
    input: z.strictObject({
      entity: z.enum(entities),
      ids: z.array(id('An id')).min(1).max(500),
      includeFields,
    }),
    output: z.object({
      items: z.array(recordOutput),
      count: z.int(),
      missing: z.array(z.union([z.int(), z.string()])),
    }),
    async run({ entity, ids, includeFields: names }, call) {
      const query = {
        conditions: [{ op: 'in', field: 'id', value: ids }],
        includeFields: names,
        cap: ids.length,
      };
      const { items } = await autotask.records.query(entity, query, call);
      const fields = await fieldsIfKnown(autotask, entity);
      const found = new Set(items.map((record) => String(record['id'])));
      return {
        data: {
          items: items.map((record) => withLabels(record, labelsOf(fields, record))),
          count: items.length,
          missing: ids.filter((each) => !found.has(String(each))),
        },
      };
    },
  });
}

const updateOutcome = z.object({
  id: z.union([z.int(), z.string()]),
  updated: z.boolean(),
  code: z.string().optional(),
  error: z.string().optional(),
});

function updateManyTool(autotask: Autotask): Tool {
  const one = z.strictObject({ id: id('The id of the ticket'), ...changesOf(ticketUpdate) });
  return defineTool({
    name: 'update_tickets',
    title: 'Update many tickets',
    description: `Changes up to ${maxBatch} tickets one after another, and says of each whether it was changed. One that fails does not stop the others.`,
    effect: 'update',
    input: z.strictObject({ tickets: z.array(one).min(1).max(maxBatch) }),
    output: z.object({ items: z.array(updateOutcome), updated: z.int(), failed: z.int() }),
    meta: entityMeta('Tickets'),
    async run({ tickets }, call) {
      const items: z.input<typeof updateOutcome>[] = [];
      for (const ticket of tickets) {
        items.push(await outcomeOf(autotask, ticket, call));
        call.progress(items.length, tickets.length);
      }
      const updated = items.filter((item) => item.updated).length;
      return { data: { items, updated, failed: items.length - updated } };
    },
  });
}

async function outcomeOf(
  autotask: Autotask,
  ticket: { readonly id: number | string } & Readonly<Record<string, unknown>>,
  call: CallContext,
): Promise<z.input<typeof updateOutcome>> {
  try {
    return { id: await updateRecord(autotask, ticketUpdate, ticket, call), updated: true };
  } catch (thrown) {
    const failure = toFailure(thrown, call.signal);
    // The rest would fail in the same way, or nobody waits for it.
    if (['UNAUTHENTICATED', 'RATE_LIMITED', 'CANCELLED', 'INTERNAL_ERROR'].includes(failure.code))
      throw thrown;
    return { id: ticket.id, updated: false, code: failure.code, error: failure.message };
  }
}

const summaryFields = ['status', 'priority', 'queueID'] as const;

function summaryTool(autotask: Autotask): Tool {
  const { companyID, assignedResourceID, createdAfter, createdBefore } = ticketArguments;
  const known = { companyID, assignedResourceID, createdAfter, createdBefore } as typeof ticketArguments;
  const shape = Object.fromEntries(Object.entries(known).map(([name, { schema }]) => [name, schema]));
  return defineTool({
    name: 'get_ticket_summary',
    title: 'Summarise tickets',
    description:
      'For a dashboard: how many tickets there are under each status, priority or queue. Costs one request for each value.',
    effect: 'read',
    input: z.strictObject({ by: z.enum(summaryFields).default('status'), ...shape }),
    output: z.object({
      by: z.string(),
      total: z.int(),
      groups: z.array(z.object({ value: listValue, label: z.string(), count: z.int() })),
    }),
    meta: entityMeta('Tickets'),
    async run(args, call) {
      const { by } = args;
      const own = await conditionsOf(autotask, { entity: 'Tickets', arguments: known }, args);
      const fields = await autotask.fieldInfo.fields('Tickets');
      const values =
        fields.find(({ name }) => name === by)?.picklist?.filter(({ isActive }) => isActive) ?? [];
      if (values.length === 0) throw new ToolFailure('NOT_FOUND', `Tickets have no values of ${by} here`);
      let done = 0;
      const groups = await Promise.all(
        values.map(async ({ value, label }) => {
          const condition = { op: 'eq', field: by, value };
          const count = await autotask.records.count('Tickets', [...own, condition], call.signal);
          call.progress(++done, values.length);
          return { value, label, count };
        }),
      );
      return { data: { by, total: groups.reduce((sum, { count }) => sum + count, 0), groups } };
    },
  });
}
