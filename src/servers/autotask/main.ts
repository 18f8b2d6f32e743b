import { serve } from '../kit/serve.ts';
import { environment } from './settings.ts';

/** Autotask PSA for one account, as an MCP server on stdin and stdout. */
await serve({
  card: {
    name: 'autotask',
    title: 'Autotask PSA',
    version: '1.0.0',
    instructions:
      'Tickets, companies, contacts, projects, tasks, time, assets, contracts, sales and billing of one Autotask account. ' +
      'Statuses, priorities, queues and other list values can be given by their labels in this account; get_field_info ' +
      'and the list_ tools say which there are. Searches give 50 records unless maxRecords says otherwise, and ' +
      'nextPageToken where there are more. Times are UTC. After a write that ended with executed: unknown, look before ' +
      'writing again.',
    hasResources: false,
  },
  environment,
  async open(workshop) {
    const { openAutotask } = await import('./open.ts');
    return openAutotask(workshop);
  },
});
