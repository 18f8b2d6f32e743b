import { z } from 'zod';
import type { Scope } from '../oauth/scopes.ts';
import { id } from './fields.ts';
import { listRecords, outputOf, paging, toData } from './listing.ts';
import { deskTool, type ToolMaker } from './module.ts';

const read: readonly Scope[] = ['SDPOnDemand.setup.READ'];

/** A list that the portal's owner keeps: what may stand in a lookup. */
function choices(name: string, plural: string, about: string): ToolMaker {
  return deskTool({
    name,
    title: `Get the ${plural} of the portal`,
    description: about,
    effect: 'read',
    scopes: read,
    input: z.strictObject(paging),
    output: outputOf(plural),
    async run(args, portal) {
      const listed = await listRecords(portal, {
        tool: name,
        args,
        criteria: [],
        path: [plural],
        key: plural,
      });
      return { data: toData(plural, listed) };
    },
  });
}

const getSubcategories = deskTool({
  name: 'get_subcategories',
  title: 'Get the subcategories of a category',
  description: 'What may stand in subcategory beside this category',
  effect: 'read',
  scopes: read,
  input: z.strictObject({ categoryId: id("The category's id, as in get_categories"), ...paging }),
  output: outputOf('subcategories'),
  async run(args, portal) {
    const path = ['categories', args.categoryId, 'subcategories'];
    const wanted = { tool: 'get_subcategories', args, criteria: [], path, key: 'subcategories' };
    return { data: toData('subcategories', await listRecords(portal, wanted)) };
  },
});

const kinds = [
  'urgencies',
  'impacts',
  'modes',
  'levels',
  'request_types',
  'groups',
  'sites',
  'templates',
] as const;

const getMetadata = deskTool({
  name: 'get_metadata',
  title: 'Get other lists of the portal',
  description:
    'What may stand in the lookups of requests: urgencies, impacts, modes, levels, types, groups, sites, templates',
  effect: 'read',
  scopes: read,
  input: z.strictObject({ kind: z.enum(kinds), ...paging }),
  output: outputOf('entries'),
  async run(args, portal) {
    const wanted = { tool: 'get_metadata', args, criteria: [], path: [args.kind], key: args.kind };
    return { data: toData('entries', await listRecords(portal, wanted)) };
  },
});

export const setupTools: readonly ToolMaker[] = [
  choices('get_categories', 'categories', 'What may stand in category'),
  choices('get_priorities', 'priorities', 'What may stand in priority'),
  choices('get_statuses', 'statuses', 'What may stand in status'),
  getSubcategories,
  getMetadata,
];
