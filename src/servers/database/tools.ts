import { z } from 'zod';
import { ToolFailure } from '../kit/failure.ts';
import { readPageToken, writePageToken } from '../kit/page-token.ts';
import type { Tool } from '../kit/surface.ts';
import { defineTool } from '../kit/tool.ts';
import { typeName } from './cells.ts';
import type { Database } from './database.ts';
import { relationTypes } from './relations.ts';
import { type Relation, tenantUri } from './tenant-uri.ts';

export function databaseTools(database: Database): readonly Tool[] {
  return [listTenantResources(database), queryTenantData(database), getTenantMetadata(database)];
}

const listName = 'list_tenant_resources';
const position = z.object({ schema: z.string(), name: z.string() });

function positionIn(pageToken: string): Relation {
  const { data } = position.safeParse(readPageToken(listName, pageToken));
  if (!data) throw new ToolFailure('INVALID_INPUT', 'pageToken is not a token of this tool');
  return data;
}

function listTenantResources(database: Database): Tool {
  const { tenantId } = database.settings;
  return defineTool({
    name: listName,
    title: 'List tenant resources',
    description: 'The tables and views of the database, each with the URI that query_tenant_data takes',
    effect: 'read',
    input: z.strictObject({
      resource_type: z
        .enum(['database', ...relationTypes])
        .default('database')
        .describe('database: tables and views'),
      maxRecords: z.int().min(1).max(500).default(100),
      pageToken: z.string().optional().describe('nextPageToken of the page before'),
    }),
    output: z.object({
      tenant_id: z.string(),
      resources: z.array(
        z.object({
          uri: z.string(),
          type: z.enum(relationTypes),
          schema: z.string(),
          name: z.string(),
          description: z.string().optional(),
        }),
      ),
      nextPageToken: z.string().optional(),
    }),
    async run({ resource_type, maxRecords, pageToken }, { signal }) {
      const type = resource_type === 'database' ? undefined : resource_type;
      const after = pageToken === undefined ? undefined : positionIn(pageToken);
      const found = await database.list({ type, after, max: maxRecords + 1 }, signal);
      const page = found.slice(0, maxRecords);
      const last = page.at(-1);
      const hasMore = found.length > page.length && last !== undefined;
      return {
        data: {
          tenant_id: tenantId,
          resources: page.map((relation) => ({ uri: tenantUri(tenantId, relation), ...relation })),
          ...(hasMore && {
            nextPageToken: writePageToken(listName, { schema: last.schema, name: last.name }),
          }),
        },
      };
    },
  });
}

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

function queryTenantData(database: Database): Tool {
  const { limits } = database.settings;
  return defineTool({
    name: 'query_tenant_data',
    title: 'Query tenant data',
    description:
      'Runs one SELECT over the table of resource_uri, read-only. Values go into params and are written $1, $2 … in the ' +
      'query; a list is one parameter: id = ANY($1). Rows are arrays in the order of columns; bigint, numeric and dates are texts.',
    effect: 'read',
    input: z.strictObject({
      resource_uri: z.string().describe('As list_tenant_resources gives it'),
      query: z.string().describe('One SELECT'),
      limit: z.int().min(1).default(100).describe(`Rows at most, up to ${limits.maxRows}`),
      params: z
        .array(z.union([scalar, z.array(scalar).max(10_000)]))
        .max(100)
        .default([]),
    }),
    output: z.object({
      resource_uri: z.string(),
      columns: z.array(z.object({ name: z.string(), type: z.string() })),
      rows: z.array(z.array(z.unknown())),
      row_count: z.int(),
      truncated: z.boolean().describe('There are more rows'),
      truncated_by: z.enum(['rows', 'bytes']).optional(),
      cut_values: z.int().describe(`Values cut after ${limits.maxCellChars} characters`),
    }),
    async run({ resource_uri: uri, query: sql, limit, params: values }, { signal }) {
      const maxRows = Math.min(limit, limits.maxRows);
      const { fields, rows, truncatedBy, cutCells } = await database.query(
        { uri, sql, values, maxRows },
        signal,
      );
      return {
        data: {
          resource_uri: uri,
          columns: fields.map(({ name, dataTypeID }) => ({ name, type: typeName(dataTypeID) })),
          rows: rows.map((row) => [...row]),
          row_count: rows.length,
          truncated: truncatedBy !== undefined,
          ...(truncatedBy && { truncated_by: truncatedBy }),
          cut_values: cutCells,
        },
      };
    },
  });
}

const metadata = z.object({
  tenant_id: z.string(),
  database_host: z.string(),
  database_name: z.string(),
  server_version: z.string(),
  schemas: z.array(z.string()),
  limits: z.object({
    max_rows: z.int(),
    max_result_bytes: z.int(),
    max_value_chars: z.int(),
    max_concurrent_connections: z.int(),
    statement_timeout_ms: z.int(),
  }),
  quotas: z.record(z.string(), z.int()),
  usage: z
    .record(z.string(), z.int())
    .describe('What is used up of the quotas, by the hours and days of UTC'),
  usage_scope: z
    .enum(['tenant', 'process'])
    .describe('process: it cannot be counted over all processes, so each counts for itself'),
  features: z.record(z.string(), z.boolean()),
});

function getTenantMetadata(database: Database): Tool {
  const { tenantId, connection, schemas, limits, quota, features } = database.settings;
  const { perHour, perDay } = quota;
  return defineTool({
    name: 'get_tenant_metadata',
    title: 'Get tenant metadata',
    description:
      'Whose database this is, where it is, and what may be asked of it; never a user, a password or a key',
    effect: 'read',
    input: z.strictObject({}),
    output: metadata,
    run: async (_, { signal }) => ({
      data: {
        tenant_id: tenantId,
        database_host: connection.host,
        database_name: connection.name,
        server_version: await database.serverVersion(signal),
        schemas: [...schemas],
        limits: {
          max_rows: limits.maxRows,
          max_result_bytes: limits.maxResultBytes,
          max_value_chars: limits.maxCellChars,
          max_concurrent_connections: limits.maxConnections,
          statement_timeout_ms: limits.timeoutMs,
        },
        quotas: {
          ...(perHour !== undefined && { max_queries_per_hour: perHour }),
          ...(perDay !== undefined && { max_queries_per_day: perDay }),
          max_concurrent_connections: limits.maxConnections,
        },
        usage: { ...database.used() },
        usage_scope: database.usageScope(),
        features,
      },
    }),
  });
}
