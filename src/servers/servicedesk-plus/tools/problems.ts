import { named, text, udfFields, user } from './fields.ts';
import { listTool, searchTool } from './listing.ts';
import type { Module, ToolMaker } from './module.ts';
import { createTool, getTool, updateTool } from './records.ts';

const problems: Module = {
  plural: 'problems',
  key: 'problem',
  idName: 'problemId',
  label: 'problem',
  titleField: 'title',
  read: ['SDPOnDemand.problems.READ'],
};

const fields = [
  text('title', 'In one line', { max: 250 }),
  text('description', 'HTML or plain text'),
  user('reportedByEmail', 'Who reports it', 'reported_by'),
  user('technicianEmail', 'Who works on it', 'technician'),
  named('priority', 'Such as High'),
  named('status', 'Such as Open'),
  named('urgency', 'Such as Urgent'),
  named('impact', 'Such as Affects Group'),
  named('category', 'As in get_categories'),
  named('subcategory', 'As in get_subcategories'),
  named('group', 'The support group'),
  named('site', 'The site'),
  udfFields,
];

export const problemTools: readonly ToolMaker[] = [
  getTool(problems),
  listTool(problems, {
    name: 'list_problems',
    description: 'Problems',
    filters: [
      { name: 'status', about: 'Such as Open', field: 'status.name' },
      { name: 'priority', about: 'Such as High', field: 'priority.name' },
      { name: 'technicianEmail', about: 'Of this technician', field: 'technician.email_id' },
    ],
  }),
  searchTool(problems),
  createTool(problems, {
    name: 'create_problem',
    description: 'Opens a problem: the cause behind incidents',
    fields,
    mandatory: ['title'],
    scopes: ['SDPOnDemand.problems.CREATE'],
  }),
  updateTool(problems, {
    name: 'update_problem',
    description: 'Changes fields of a problem',
    fields,
    scopes: ['SDPOnDemand.problems.UPDATE'],
  }),
];
