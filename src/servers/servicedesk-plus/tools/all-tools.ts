import type { Tool } from '../../kit/surface.ts';
import type { ServiceDesk } from '../api/service-desk.ts';
import { assetTools } from './assets.ts';
import { approveChange } from './change-approval.ts';
import { changeTools } from './changes.ts';
import { cmdbTools } from './cmdb.ts';
import { testConnection } from './connection.ts';
import { peopleTools } from './people.ts';
import { problemTools } from './problems.ts';
import { projectTools } from './projects.ts';
import { requestTools } from './requests.ts';
import { setupTools } from './setup.ts';
import { solutionTools } from './solutions.ts';

const makers = [
  ...requestTools,
  ...problemTools,
  ...changeTools,
  approveChange,
  ...projectTools,
  ...assetTools,
  ...solutionTools,
  ...cmdbTools,
  ...peopleTools,
  ...setupTools,
  testConnection,
];

export const allTools = (desk: ServiceDesk): readonly Tool[] => makers.map((make) => make(desk));
