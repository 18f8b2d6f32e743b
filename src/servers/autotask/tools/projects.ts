import type { Tool } from '../../kit/surface.ts';
import type { Autotask } from '../autotask.ts';
import { getTool } from '../get-tool.ts';
import { containsIn, isChoice, isId } from '../search-arguments.ts';
import { searchTool } from '../search-tool.ts';
import { choiceField, idField, numberField, textField, timeField, type WriteField } from '../write-fields.ts';
import { createTool, updateTool, type WriteTool } from '../write-tool.ts';

const projectFields = {
  projectName: textField(100, 'Its name'),
  companyID: idField('The customer'),
  projectType: choiceField('What kind of project it is'),
  status: choiceField("The project's status"),
  startDateTime: timeField('When it begins'),
  endDateTime: timeField('When it should end'),
  description: textField(2_000, 'What it is about'),
  projectLeadResourceID: idField('Who leads it'),
} satisfies Record<string, WriteField>;

const taskFields = {
  projectID: idField('The project'),
  title: textField(255, 'What is to be done, in one line'),
  status: choiceField("The task's status"),
  taskType: choiceField('Whether its work is fixed or its duration'),
  description: textField(8_000, 'What is to be done'),
  assignedResourceID: idField('Who does it; goes with assignedResourceRoleID'),
  assignedResourceRoleID: idField('In which role; goes with assignedResourceID'),
  estimatedHours: numberField('How long it should take, in hours', 0, 9_999),
  startDateTime: timeField('When it begins'),
  endDateTime: timeField('When it should end'),
  phaseID: idField('The phase of the project'),
  priority: numberField('A number; higher is more urgent', 0, 2_147_483_647),
} satisfies Record<string, WriteField>;

/** There is no POST or PATCH to Tasks: they are written below their project. */
const taskPath: WriteTool['path'] = ({ projectID }) => `Projects/${String(projectID)}/Tasks`;

export const projectTools = (autotask: Autotask): readonly Tool[] => [
  getTool(autotask, { name: 'get_project', entity: 'Projects', noun: 'project' }),
  createTool(autotask, {
    name: 'create_project',
    title: 'Create a project',
    description:
      "Makes a project. Type and status are this account's defaults unless they are given; the answer says which.",
    entity: 'Projects',
    fields: projectFields,
    required: ['projectName', 'companyID', 'startDateTime', 'endDateTime'],
    usualLabels: { projectType: 'Client', status: 'New' },
  }),
  updateTool(autotask, {
    name: 'update_project',
    title: 'Update a project',
    description: 'Changes a project.',
    entity: 'Projects',
    fields: projectFields,
    required: [],
  }),
  searchTool(autotask, {
    name: 'search_projects',
    title: 'Search projects',
    description: 'Projects by customer, status or name.',
    entity: 'Projects',
    plural: 'projects',
    arguments: {
      companyID: isId('The customer'),
      status: isChoice('Its status'),
      name: containsIn('A part of its name', ['projectName']),
    },
  }),
];

export const taskTools = (autotask: Autotask): readonly Tool[] => [
  getTool(autotask, { name: 'get_task', entity: 'Tasks', noun: 'task' }),
  createTool(autotask, {
    name: 'create_task',
    title: 'Create a task',
    description:
      "Makes a task of a project. Status and type are this account's defaults unless they are given; the answer says which.",
    entity: 'Tasks',
    fields: taskFields,
    required: ['projectID', 'title'],
    usualLabels: { status: 'New', taskType: 'Fixed Work' },
    path: taskPath,
  }),
  updateTool(autotask, {
    name: 'update_task',
    title: 'Update a task',
    description: 'Changes a task; projectID is the project it belongs to.',
    entity: 'Tasks',
    fields: taskFields,
    required: ['projectID'],
    path: taskPath,
  }),
  searchTool(autotask, {
    name: 'search_tasks',
    title: 'Search tasks',
    description: 'Tasks by project, status or who does them.',
    entity: 'Tasks',
    plural: 'tasks',
    arguments: {
      projectID: isId('The project'),
      status: isChoice('Its status'),
      assignedResourceID: isId('Who does it'),
    },
  }),
];
