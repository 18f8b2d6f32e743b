import type { Tool } from '../../kit/surface.ts';
import type { Autotask } from '../autotask.ts';
import { getTool } from '../get-tool.ts';
import {
  containsIn,
  isChoice,
  isId,
  isText,
  notAfter,
  notBefore,
  type SearchArgument,
} from '../search-arguments.ts';
import { searchTool } from '../search-tool.ts';
import { choiceField, idField, numberField, textField, timeField, type WriteField } from '../write-fields.ts';
import { createTool, updateTool, type WriteTool } from '../write-tool.ts';

const entity = 'Tickets';

const fields = {
  title: textField(255, 'What it is about, in one line'),
  companyID: idField('The customer'),
  status: choiceField("The ticket's status"),
  priority: choiceField("The ticket's priority"),
  queueID: choiceField('The queue'),
  dueDateTime: timeField('When it is due'),
  description: textField(8_000, 'What it is about, in full'),
  contactID: idField('Who at the customer asked'),
  assignedResourceID: idField('Who works on it; goes with assignedResourceRoleID'),
  assignedResourceRoleID: idField('In which role; goes with assignedResourceID'),
  issueType: choiceField('The issue type'),
  subIssueType: choiceField('The sub-issue type, which depends on the issue type'),
  ticketType: choiceField('Service request, incident, problem, change request or alert'),
  source: choiceField('How it came in'),
  configurationItemID: idField('The asset it is about'),
  contractID: idField('The contract it is billed under'),
  estimatedHours: numberField('How long it should take, in hours', 0, 9_999),
  externalID: textField(
    50,
    "The caller's own id for it; look it up with search_tickets to avoid a second ticket",
  ),
} satisfies Record<string, WriteField>;

/** Also what one of many updates may change. */
export const ticketUpdate: WriteTool = {
  name: 'update_ticket',
  title: 'Update a ticket',
  description: 'Changes a ticket.',
  entity,
  fields: { ...fields, resolution: textField(32_000, 'How it was solved') },
  required: [],
};

export const ticketArguments: Readonly<Record<string, SearchArgument>> = {
  companyID: isId('The customer'),
  status: isChoice('Its status'),
  keyword: containsIn('A word in the title or the description', ['title', 'description']),
  ticketNumber: isText('Its number, such as T20260131.0001'),
  assignedResourceID: isId('Who works on it'),
  queueID: isChoice('Its queue'),
  priority: isChoice('Its priority'),
  externalID: isText("The caller's own id for it"),
  createdAfter: notBefore('Created then or later', 'createDate'),
  createdBefore: notAfter('Created then or earlier', 'createDate'),
};

export const ticketTools = (autotask: Autotask): readonly Tool[] => [
  getTool(autotask, { name: 'get_ticket', entity, noun: 'ticket' }),
  createTool(autotask, {
    name: 'create_ticket',
    title: 'Create a ticket',
    description:
      "Makes a service ticket. Status and priority are this account's defaults unless they are given; the answer says which.",
    entity,
    fields,
    required: ['title', 'companyID'],
    usualLabels: { status: 'New', priority: 'Medium' },
  }),
  updateTool(autotask, ticketUpdate),
  searchTool(autotask, {
    name: 'search_tickets',
    title: 'Search tickets',
    description: 'Tickets by customer, status, words and more.',
    entity,
    plural: 'tickets',
    arguments: ticketArguments,
  }),
];
