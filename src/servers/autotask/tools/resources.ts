import type { Tool } from '../../kit/surface.ts';
import type { Autotask } from '../autotask.ts';
import { getTool } from '../get-tool.ts';
import { isFlag, isText, personCalled } from '../search-arguments.ts';
import { searchTool } from '../search-tool.ts';

export const resourceTools = (autotask: Autotask): readonly Tool[] => [
  getTool(autotask, { name: 'get_resource', entity: 'Resources', noun: 'member of staff' }),
  searchTool(autotask, {
    name: 'search_resources',
    title: 'Search resources',
    description: 'Members of staff by e-mail address or name.',
    entity: 'Resources',
    plural: 'resources',
    arguments: {
      email: isText('The whole e-mail address'),
      name: personCalled('First name, last name, or both'),
      isActive: isFlag('Whether they still work here'),
    },
  }),
];
