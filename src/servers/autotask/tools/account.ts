import { z } from 'zod';
import { ToolFailure, toFailure } from '../../kit/failure.ts';
import type { Tool } from '../../kit/surface.ts';
import { defineTool } from '../../kit/tool.ts';
import { entityMeta, listValue } from '../arguments.ts';
import type { Account } from '../account.ts';
import type { Autotask } from '../autotask.ts';
import { entities } from '../entities.ts';
import type { Field } from '../field-info.ts';

const nothing = z.strictObject({});

const picklistOutput = z.object({
  value: listValue,
  label: z.string(),
  isActive: z.boolean(),
  isDefault: z.boolean(),
  parentValue: listValue.optional(),
});

const fieldOutput = z.object({
  name: z.string(),
  dataType: z.string(),
  length: z.number().optional(),
  isRequired: z.boolean(),
  isReadOnly: z.boolean(),
  isQueryable: z.boolean(),
  references: z.string().optional(),
  picklistParentField: z.string().optional(),
  picklist: z.array(picklistOutput).optional(),
});

export const accountTools = (autotask: Autotask, account: Account): readonly Tool[] => [
  connectionTool(autotask, account),
  usageTool(autotask),
  fieldInfoTool(autotask),
  listTool(autotask, { name: 'list_queues', field: 'queueID', plural: 'queues' }),
  listTool(autotask, { name: 'list_ticket_statuses', field: 'status', plural: 'statuses of tickets' }),
  listTool(autotask, { name: 'list_ticket_priorities', field: 'priority', plural: 'priorities of tickets' }),
];

function connectionTool({ connection, records }: Autotask, { username, tenantId }: Account): Tool {
  // The founding document's name for a tenant that gave none.
  const tenant = tenantId ?? `tenant_${username.slice(0, 3)}***`;
  return defineTool({
    name: 'test_connection',
    title: 'Test the connection',
    description: 'Whether Autotask can be reached with these credentials, and where',
    effect: 'read',
    input: nothing,
    output: z.object({ connected: z.boolean(), tenant: z.string(), apiUrl: z.string() }),
    async run(_args, { signal }) {
      try {
        await records.read('Version', signal);
        return { data: { connected: true, tenant, apiUrl: await connection.address(signal) } };
      } catch (thrown) {
        const failure = toFailure(thrown, signal);
        const text = `❌ Failed to connect to Autotask API for tenant: ${tenant}: ${failure.message}`;
        throw failure.withMessage(text);
      }
    },
  });
}

function usageTool({ records }: Autotask): Tool {
  return defineTool({
    name: 'get_api_usage',
    title: 'Get the use of the API',
    description:
      'How many requests this Autotask database has had lately, over all integrations, and how many it may have. From ' +
      'half of them on Autotask answers more slowly. Asking counts as a request.',
    effect: 'read',
    input: nothing,
    output: z.object({
      requests: z.number(),
      limit: z.number(),
      minutes: z.number(),
      percent: z.number(),
      isSlowed: z.boolean(),
    }),
    async run(_args, { signal }) {
      const answer = await records.read('ThresholdInformation', signal);
      const requests = Number(answer['currentTimeframeRequestCount'] ?? Number.NaN);
      const limit = Number(answer['externalRequestThreshold'] ?? Number.NaN);
      const minutes = Number(answer['requestThresholdTimeframe'] ?? Number.NaN);
      if (!Number.isFinite(requests + limit + minutes) || limit <= 0)
        throw new ToolFailure('BAD_REPLY', 'Autotask did not say how much its API is used');
      const percent = Math.round((requests / limit) * 1_000) / 10;
      return { data: { requests, limit, minutes, percent, isSlowed: percent > 50 } };
    },
  });
}

function fieldInfoTool({ fieldInfo }: Autotask): Tool {
  return defineTool({
    name: 'get_field_info',
    title: 'Get field information',
    description: 'Which fields a kind of record has in this account, and the values of its lists',
    effect: 'read',
    input: z.strictObject({
      entity: z.enum(entities),
      field: z.string().min(1).max(100).optional().describe('Only this one; left out: all'),
    }),
    output: z.object({ entity: z.string(), fields: z.array(fieldOutput) }),
    async run({ entity, field }) {
      const all = await fieldInfo.fields(entity);
      const wanted = field?.toLowerCase();
      const fields = wanted === undefined ? all : all.filter(({ name }) => name.toLowerCase() === wanted);
      if (fields.length > 0) return { data: { entity, fields: fields.map(shown) } };
      const hint = `There are: ${all.map(({ name }) => name).join(', ')}`;
      throw new ToolFailure('NOT_FOUND', `${entity} has no field ${field ?? ''}`, { hint });
    },
  });
}

interface ListTool {
  readonly name: string;
  readonly field: string;
  readonly plural: string;
}

function listTool({ fieldInfo }: Autotask, { name, field, plural }: ListTool): Tool {
  return defineTool({
    name,
    title: `List ${plural}`,
    description: `The ${plural} of this account, with their numbers`,
    effect: 'read',
    input: nothing,
    output: z.object({ items: z.array(picklistOutput), count: z.int() }),
    meta: entityMeta('Tickets'),
    async run() {
      const fields = await fieldInfo.fields('Tickets');
      const items = fields.find((each) => each.name === field)?.picklist ?? [];
      return { data: { items: items.map(shownValue), count: items.length } };
    },
  });
}

function shown({ picklist, ...field }: Field): z.input<typeof fieldOutput> {
  return { ...field, ...(picklist && { picklist: picklist.map(shownValue) }) };
}

const shownValue = ({
  value,
  label,
  isActive,
  isDefault,
  parentValue,
}: NonNullable<Field['picklist']>[number]) => ({
  value,
  label,
  isActive,
  isDefault,
  ...(parentValue !== undefined && { parentValue }),
});
