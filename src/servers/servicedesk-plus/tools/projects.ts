import { z } from 'zod';
import { argumentsOf, entityOf, id, moment, named, text, udfFields, user } from './fields.ts';
import { listBelowTool, listTool, searchTool } from './listing.ts';
import { deskTool, type Module, type ToolMaker } from './module.ts';
import { anyRecord, createTool, getTool, recordIn, updateTool } from './records.ts';

const projects: Module = {
  plural: 'projects',
  key: 'project',
  idName: 'projectId',
  label: 'project',
  titleField: 'title',
  read: ['SDPOnDemand.projects.READ'],
};

const fields = [
  text('title', 'In one line', { max: 250 }),
  text('description', 'HTML or plain text'),
  user('owner', 'Who leads it', 'owner'),
  named('priority', 'Such as High'),
  named('type', 'The project type', 'project_type'),
  moment('scheduledStart', 'Planned start', 'scheduled_start_time'),
  moment('scheduledEnd', 'Planned end', 'scheduled_end_time'),
  udfFields,
];

const taskFields = [
  text('title', 'In one line', { max: 250 }),
  text('description', 'HTML or plain text'),
  user('owner', 'Who does it', 'owner'),
  moment('scheduledStart', 'Planned start', 'scheduled_start_time'),
  moment('scheduledEnd', 'Planned end', 'scheduled_end_time'),
  named('priority', 'Such as High'),
];

const addProjectTask = deskTool({
  name: 'add_project_task',
  title: 'Add a task to a project',
  description: 'Adds a task to a project',
  effect: 'create',
  // The founding scope map says UPDATE; the call creates something, and no page of the vendor decides.
  scopes: ['SDPOnDemand.projects.UPDATE', 'SDPOnDemand.projects.CREATE'],
  input: z.strictObject({ projectId: id("The project's long id"), ...argumentsOf(taskFields, ['title']) }),
  output: z.object({ task: anyRecord }),
  async run({ projectId, ...args }, portal) {
    const input = { task: entityOf(taskFields, args) };
    const body = await portal.send({ method: 'POST', path: ['projects', projectId, 'tasks'], input });
    return { data: { task: recordIn(body, 'task') } };
  },
});

export const projectTools: readonly ToolMaker[] = [
  createTool(projects, {
    name: 'create_project',
    description: 'Opens a project',
    fields,
    mandatory: ['title'],
    scopes: ['SDPOnDemand.projects.CREATE'],
  }),
  updateTool(projects, {
    name: 'update_project',
    description: 'Changes fields of a project',
    fields: [...fields, named('status', 'Such as Open')],
    scopes: ['SDPOnDemand.projects.UPDATE'],
  }),
  getTool(projects),
  listTool(projects, {
    name: 'list_projects',
    description: 'Projects',
    filters: [
      { name: 'status', about: 'Such as Open', field: 'status.name' },
      { name: 'ownerEmail', about: 'Led by', field: 'owner.email_id' },
    ],
  }),
  searchTool(projects),
  addProjectTask,
  listBelowTool(projects, {
    name: 'list_project_tasks',
    description: 'The tasks of a project',
    segment: 'tasks',
    label: 'task',
  }),
];
