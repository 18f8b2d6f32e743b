import type { Tool } from '../../kit/surface.ts';
import type { Autotask } from '../autotask.ts';
import { getTool } from '../get-tool.ts';
import { containsIn, isChoice, isFlag, isId, isText, notAfter, notBefore } from '../search-arguments.ts';
import { searchTool } from '../search-tool.ts';

/** What is sold and what is scheduled, to read. */
export const catalogueTools = (autotask: Autotask): readonly Tool[] => [
  getTool(autotask, { name: 'get_product', entity: 'Products', noun: 'product' }),
  searchTool(autotask, {
    name: 'search_products',
    title: 'Search products',
    description: 'The product catalogue by name, SKU or category.',
    entity: 'Products',
    plural: 'products',
    arguments: {
      searchTerm: containsIn('A part of its name or description', ['name', 'description']),
      sku: isText('The whole SKU'),
      productCategory: isChoice('Its category'),
      isActive: isFlag('Whether it is in use'),
    },
  }),
  getTool(autotask, { name: 'get_service_call', entity: 'ServiceCalls', noun: 'service call' }),
  searchTool(autotask, {
    name: 'search_service_calls',
    title: 'Search service calls',
    description: 'Scheduled visits by customer, status or time.',
    entity: 'ServiceCalls',
    plural: 'service calls',
    arguments: {
      companyID: isId('The customer'),
      status: isChoice('Its status'),
      startsAfter: notBefore('Begins then or later', 'startDateTime'),
      startsBefore: notAfter('Begins then or earlier', 'startDateTime'),
    },
  }),
];
