import { serve } from '../kit/serve.ts';
import { environment, placesOf } from './settings.ts';

await serve({
  card: {
    name: 'servicedesk-plus',
    title: 'ServiceDesk Plus Cloud',
    version: '1.0.0',
    instructions:
      'Requests, problems, changes, projects, assets, solutions and configuration items of one ServiceDesk Plus Cloud portal. ' +
      'Ids are long texts of digits; get_request also takes displayId, the number people see. ' +
      'What may stand in a lookup is told by get_categories, get_priorities, get_statuses and get_metadata.',
    hasResources: false,
  },
  environment,
  check: placesOf,
  open: async (workshop) => (await import('./open.ts')).openServiceDesk(workshop),
});
