import type { Resources } from '../kit/surface.ts';
import type { Database } from './database.ts';
import { defaultSchema, type Relation, tenantUri } from './tenant-uri.ts';

/** `resources/list` has no pages here; list_tenant_resources does. */
const maxListed = 1_000;
const mimeType = 'application/json';

/** Tables and views as MCP resources. What is read is their columns, never their rows. */
export function databaseResources(database: Database): Resources {
  const { tenantId } = database.settings;
  return {
    async list({ signal }) {
      const found = await database.list({ type: undefined, after: undefined, max: maxListed }, signal);
      return found.map((relation) => ({
        uri: tenantUri(tenantId, relation),
        name: nameOf(relation),
        title: `${relation.type} ${nameOf(relation)}`,
        mimeType,
        ...(relation.description !== undefined && { description: relation.description }),
      }));
    },
    templates: () => [
      {
        uriTemplate: `mcp://${tenantId}/database/table/{name}`,
        name: 'table',
        title: 'A table or view',
        description: 'Its columns and their types. Outside the schema public the name is SCHEMA.TABLE',
        mimeType,
      },
    ],
    async read(uri, { signal }) {
      const { relation, columns } = await database.describe(uri, signal);
      return { contents: [{ uri, mimeType, text: JSON.stringify({ uri, ...relation, columns }) }] };
    },
  };
}

const nameOf = ({ schema, name }: Relation): string =>
  schema === defaultSchema ? name : `${schema}.${name}`;
