import { isNoAddress } from '../api/answer.ts';
import type { ServiceDesk } from '../api/service-desk.ts';
import { listTool, searchTool } from './listing.ts';
import type { Module, ToolMaker } from './module.ts';
import { getTool } from './records.ts';

/** Sources name either scope; whichever was granted will do. */
const read = ['SDPOnDemand.users.READ', 'SDPOnDemand.setup.READ'] as const;

const technicians: Module = {
  plural: 'technicians',
  key: 'technician',
  idName: 'technicianId',
  label: 'technician',
  titleField: 'name',
  read,
};
const requesters: Module = {
  plural: 'requesters',
  key: 'requester',
  idName: 'requesterId',
  label: 'requester',
  titleField: 'name',
  read,
};
/** Portals that do not have these addresses have this one for all people. */
const everybody = 'users';

const filters = [{ name: 'email', about: 'With this e-mail address', field: 'email_id' }];

const people: readonly ToolMaker[] = [
  getTool(technicians),
  listTool(technicians, { name: 'list_technicians', description: 'Technicians', filters }),
  searchTool(technicians),
  listTool(requesters, { name: 'list_requesters', description: 'Requesters', filters }),
  searchTool(requesters),
];

export const peopleTools: readonly ToolMaker[] = people.map((make) => (desk) => make(orEverybody(desk)));

function orEverybody(desk: ServiceDesk): ServiceDesk {
  return {
    async open(scopes, call) {
      const portal = await desk.open(scopes, call);
      return {
        ...portal,
        async send(request) {
          try {
            return await portal.send(request);
          } catch (thrown) {
            if (!isNoAddress(thrown)) throw thrown;
            const [, ...rest] = request.path;
            // Should that fail too, the first answer is the one about what was asked.
            return portal.send({ ...request, path: [everybody, ...rest] }).catch(() => {
              throw thrown;
            });
          }
        },
      };
    },
  };
}
