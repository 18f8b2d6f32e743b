import type { Tool } from '../../kit/surface.ts';
import type { Autotask } from '../autotask.ts';
import { getTool } from '../get-tool.ts';
import { containsIn, isFlag, isId, isText, notAfter, notBefore } from '../search-arguments.ts';
import { searchTool } from '../search-tool.ts';

/** What is offered and billed, to read. */
export const billingTools = (autotask: Autotask): readonly Tool[] => [
  getTool(autotask, { name: 'get_quote', entity: 'Quotes', noun: 'quote' }),
  searchTool(autotask, {
    name: 'search_quotes',
    title: 'Search quotes',
    description: 'Quotes by customer, opportunity or name.',
    entity: 'Quotes',
    plural: 'quotes',
    arguments: {
      companyID: isId('The customer'),
      opportunityID: isId('The opportunity'),
      name: containsIn('A part of its name', ['name']),
      isActive: isFlag('Whether it is in use'),
    },
  }),
  searchTool(autotask, {
    name: 'search_quote_items',
    title: 'Search quote items',
    description: 'The lines of quotes.',
    entity: 'QuoteItems',
    plural: 'quote items',
    arguments: { quoteID: isId('The quote'), productID: isId('The product') },
  }),
  getTool(autotask, { name: 'get_invoice', entity: 'Invoices', noun: 'invoice' }),
  searchTool(autotask, {
    name: 'search_invoices',
    title: 'Search invoices',
    description: 'Invoices by customer, number or date.',
    entity: 'Invoices',
    plural: 'invoices',
    arguments: {
      companyID: isId('The customer'),
      invoiceNumber: isText('Its number'),
      dateFrom: notBefore('Of then or later', 'invoiceDateTime'),
      dateTo: notAfter('Of then or earlier', 'invoiceDateTime'),
      isVoided: isFlag('Whether it was voided'),
    },
  }),
];
