import { z } from 'zod';
import { flag, id, moment, named, text, udfFields, user } from './fields.ts';
import { listBelowTool, listTool, searchTool } from './listing.ts';
import { deskTool, type Module, type ToolMaker } from './module.ts';
import { anyRecord, createTool, getTool, recordIn, updateTool } from './records.ts';

const changes: Module = {
  plural: 'changes',
  key: 'change',
  idName: 'changeId',
  label: 'change',
  titleField: 'title',
  read: ['SDPOnDemand.changes.READ'],
};

/** Sources differ about which of these a portal demands: what is given is sent, and the portal's answer names the rest. */
const fields = [
  text('title', 'In one line', { max: 250 }),
  text('description', 'HTML or plain text'),
  named('template', 'The change template'),
  named('stage', 'Such as Submission'),
  named('status', 'Such as Requested'),
  text('comment', 'Why the status changes; portals demand it with a new status', { max: 4_000 }),
  named('changeType', 'Such as Standard', 'change_type'),
  named('reasonForChange', 'Such as Bug fix', 'reason_for_change'),
  named('priority', 'Such as High'),
  named('urgency', 'Such as Urgent'),
  named('impact', 'Such as Affects Group'),
  named('risk', 'Such as Low'),
  named('group', 'The support group'),
  user('ownerEmail', 'Who owns the change', 'change_owner'),
  user('requesterEmail', 'Who asks for it', 'change_requester'),
  user('managerEmail', 'Who manages it', 'change_manager'),
  moment('scheduledStart', 'Planned start', 'scheduled_start_time'),
  moment('scheduledEnd', 'Planned end', 'scheduled_end_time'),
  flag('emergency', 'It cannot wait for the usual approvals'),
  udfFields,
];

const addChangeNote = deskTool({
  name: 'add_change_note',
  title: 'Add a note to a change',
  description: 'Writes a note on a change',
  effect: 'create',
  scopes: ['SDPOnDemand.changes.UPDATE', 'SDPOnDemand.changes.CREATE'],
  input: z.strictObject({ changeId: id("The change's long id"), description: z.string().min(1).max(65_536) }),
  output: z.object({ note: anyRecord }),
  async run({ changeId, description }, portal) {
    const input = { note: { description } };
    const body = await portal.send({ method: 'POST', path: ['changes', changeId, 'notes'], input });
    return { data: { note: recordIn(body, 'note') } };
  },
});

export const changeTools: readonly ToolMaker[] = [
  createTool(changes, {
    name: 'create_change',
    description: 'Opens a change',
    fields,
    mandatory: ['title'],
    scopes: ['SDPOnDemand.changes.CREATE'],
  }),
  getTool(changes),
  listTool(changes, {
    name: 'list_changes',
    description: 'Changes',
    filters: [
      { name: 'stage', about: 'Such as Submission', field: 'stage.name' },
      { name: 'status', about: 'Such as Requested', field: 'status.name' },
      { name: 'changeType', about: 'Such as Standard', field: 'change_type.name' },
    ],
  }),
  searchTool(changes),
  updateTool(changes, {
    name: 'update_change',
    description: 'Changes fields of a change, also its stage and status (Completed closes it)',
    fields,
    scopes: ['SDPOnDemand.changes.UPDATE'],
  }),
  addChangeNote,
  listBelowTool(changes, {
    name: 'list_change_approval_levels',
    description:
      "The approval levels of a change with their states; a change's own approval state lags behind them",
    segment: 'approval_levels',
    label: 'approval level',
  }),
];
