import { z } from 'zod';
import type { Scope } from '../oauth/scopes.ts';
import { id } from './fields.ts';
import { listRecords, ordering, outputOf, paging, searchCriteria, searching, toData } from './listing.ts';
import { deskTool, type ToolMaker } from './module.ts';
import { anyRecord, recordIn } from './records.ts';

const read: readonly Scope[] = ['SDPOnDemand.cmdb.READ'];

/** Configuration items stand under their type, and the type's name is the key in the JSON too. */
const ciType = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,99}$/, 'the API name of a CI type is letters, digits and _')
  .describe('The API name of the CI type, such as ci_computer');

const listItems = deskTool({
  name: 'list_configuration_items',
  title: 'List configuration items',
  description: 'Configuration items of one type',
  effect: 'read',
  scopes: read,
  input: z.strictObject({ ciType, ...paging, ...ordering }),
  output: outputOf('configurationItems'),
  async run(args, portal) {
    const wanted = { args, criteria: [], path: ['cmdb', args.ciType], key: args.ciType };
    const listed = await listRecords(portal, { ...wanted, tool: 'list_configuration_items' });
    return { data: toData('configurationItems', listed) };
  },
});

const searchItems = deskTool({
  name: 'search_configuration_items',
  title: 'Search configuration items',
  description: 'Configuration items of one type for which all criteria hold',
  effect: 'read',
  scopes: read,
  input: z.strictObject({ ciType, ...searching, ...paging, ...ordering }),
  output: outputOf('configurationItems'),
  async run(args, portal) {
    const criteria = searchCriteria('name', args);
    const wanted = { args, criteria, path: ['cmdb', args.ciType], key: args.ciType };
    const listed = await listRecords(portal, { ...wanted, tool: 'search_configuration_items' });
    return { data: toData('configurationItems', listed) };
  },
});

const getItem = deskTool({
  name: 'get_configuration_item',
  title: 'Get a configuration item',
  description: 'One configuration item with all its fields',
  effect: 'read',
  scopes: read,
  input: z.strictObject({ ciType, configurationItemId: id("The configuration item's long id") }),
  output: z.object({ configurationItem: anyRecord }),
  async run({ ciType: type, configurationItemId }, portal) {
    const body = await portal.send({ method: 'GET', path: ['cmdb', type, configurationItemId] });
    return { data: { configurationItem: recordIn(body, type) } };
  },
});

export const cmdbTools: readonly ToolMaker[] = [listItems, searchItems, getItem];
