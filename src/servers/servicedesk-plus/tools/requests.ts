import { z } from 'zod';
import { ToolFailure } from '../../kit/failure.ts';
import { maxRowCount } from '../api/list-info.ts';
import type { Portal } from '../api/service-desk.ts';
import { argumentsOf, entityOf, type Field, flag, id, named, text, udfFields, user } from './fields.ts';
import {
  listBelowTool,
  listRecords,
  listTool,
  ordering,
  outputOf,
  paging,
  searchTool,
  toData,
} from './listing.ts';
import { deskTool, type Module, type ToolMaker } from './module.ts';
import { anyRecord, createTool, recordIn, updateTool } from './records.ts';

const requests: Module = {
  plural: 'requests',
  key: 'request',
  idName: 'requestId',
  label: 'request',
  titleField: 'subject',
  read: ['SDPOnDemand.requests.READ'],
};

const fields = [
  text('subject', 'In one line', { max: 250 }),
  text('description', 'HTML or plain text'),
  user('requesterEmail', 'Who asks', 'requester'),
  user('technicianEmail', 'Who works on it', 'technician'),
  named('priority', 'Such as High; a portal may set it by urgency and impact'),
  named('status', 'Such as Open'),
  named('urgency', 'Such as Urgent'),
  named('impact', 'Such as Affects Group'),
  named('category', 'As in get_categories'),
  named('subcategory', 'As in get_subcategories'),
  named('item', 'Below the subcategory'),
  named('group', 'The support group'),
  named('site', 'The site'),
  named('mode', 'How it came in, such as E-Mail'),
  named('level', 'Such as Tier 1'),
  named('requestType', 'Such as Incident', 'request_type'),
  udfFields,
];

const resolution: Field = {
  ...text('resolution', 'What was done; HTML or plain text'),
  write: (content: string) => ({ content }),
};

const idArgument = id("The request's long id");

/** The number that people see is not the id that addresses take. */
const getRequest = deskTool({
  name: 'get_request',
  title: 'Get a request',
  description: 'One request with all its fields, by its long id or by the number that people see',
  effect: 'read',
  scopes: requests.read,
  input: z.strictObject({
    requestId: idArgument.optional(),
    displayId: id('The number people see, such as 101085').optional(),
  }),
  output: z.object({ request: anyRecord }),
  async run({ requestId, displayId }, portal) {
    if ((requestId === undefined) === (displayId === undefined)) {
      throw new ToolFailure('INVALID_INPUT', 'Give either requestId or displayId');
    }
    const found = requestId ?? (await idOfNumber(displayId ?? '', portal));
    const body = await portal.send({ method: 'GET', path: ['requests', found] });
    return { data: { request: recordIn(body, 'request') } };
  },
});

async function idOfNumber(displayId: string, portal: Portal): Promise<string> {
  const input = { list_info: { row_count: maxRowCount, search_fields: { display_id: displayId } } };
  const { requests: rows } = await portal.send({ method: 'GET', path: ['requests'], input });
  // The search also finds longer numbers that hold this one.
  const match = (Array.isArray(rows) ? (rows as Readonly<Record<string, unknown>>[]) : []).find(
    (row) => String(row['display_id']) === displayId,
  );
  if (match) return String(match['id']);
  throw new ToolFailure('NOT_FOUND', `There is no request with the number ${displayId}`);
}

const listMyRequests = deskTool({
  name: 'list_my_requests',
  title: 'List my requests',
  description: 'Requests of the technician in SDP_TECHNICIAN_EMAIL',
  effect: 'read',
  scopes: requests.read,
  input: z.strictObject({
    status: z.string().min(1).optional().describe('Such as Open'),
    ...paging,
    ...ordering,
  }),
  output: outputOf('requests'),
  async run(args, portal) {
    if (portal.technicianEmail === undefined) {
      throw new ToolFailure('INVALID_INPUT', 'Whose requests is not known', {
        hint: "Set SDP_TECHNICIAN_EMAIL in the server's environment, or use list_requests with technicianEmail",
      });
    }
    const filters = [
      { field: 'technician.email_id', condition: 'is', value: portal.technicianEmail },
      { field: 'status.name', condition: 'is', value: args.status },
    ] as const;
    const criteria = filters.filter(({ value }) => value !== undefined);
    const listed = await listRecords(portal, {
      tool: 'list_my_requests',
      args,
      criteria,
      path: ['requests'],
      key: 'requests',
    });
    return { data: toData('requests', listed) };
  },
});

const deleteRequest = deskTool({
  name: 'delete_request',
  title: 'Delete a request',
  description: 'Moves a request to the trash of the portal',
  effect: 'delete',
  scopes: ['SDPOnDemand.requests.DELETE'],
  input: z.strictObject({ requestId: idArgument }),
  output: z.object({ deleted: z.literal(true), requestId: z.string() }),
  async run({ requestId }, portal) {
    await portal.send({ method: 'DELETE', path: ['requests', requestId] });
    return { data: { deleted: true as const, requestId } };
  },
});

const closeRequest = deskTool({
  name: 'close_request',
  title: 'Close a request',
  description: 'Closes a request, with why and whether the requester agrees',
  effect: 'update',
  scopes: ['SDPOnDemand.requests.UPDATE'],
  input: z.strictObject({
    requestId: idArgument,
    closureCode: z.string().max(250).optional().describe('Such as Success'),
    closureComments: z.string().max(4_000).optional(),
    requesterAcknowledged: z.boolean().optional().describe('The requester agrees that it is resolved'),
    requesterComments: z.string().max(4_000).optional(),
  }),
  output: z.object({ closed: z.literal(true), requestId: z.string() }),
  async run({ requestId, closureCode, closureComments, requesterAcknowledged, requesterComments }, portal) {
    const closureInfo = {
      ...(requesterAcknowledged !== undefined && { requester_ack_resolution: requesterAcknowledged }),
      ...(requesterComments !== undefined && { requester_ack_comments: requesterComments }),
      ...(closureComments !== undefined && { closure_comments: closureComments }),
      ...(closureCode !== undefined && { closure_code: { name: closureCode } }),
    };
    const input = { request: { closure_info: closureInfo } };
    await portal.send({ method: 'PUT', path: ['requests', requestId, 'close'], input });
    return { data: { closed: true as const, requestId } };
  },
});

const noteFields = [
  text('description', 'The note; HTML or plain text'),
  flag('showToRequester', 'The requester can read it', 'show_to_requester'),
  flag('notifyTechnician', 'The technician gets an e-mail', 'notify_technician'),
  flag('markFirstResponse', 'It counts as the first response', 'mark_first_response'),
  flag('addToLinkedRequests', 'Linked requests get it too', 'add_to_linked_requests'),
];

const addRequestNote = deskTool({
  name: 'add_request_note',
  title: 'Add a note to a request',
  description: 'Writes a note; only technicians see it unless showToRequester is true',
  effect: 'create',
  scopes: ['SDPOnDemand.requests.UPDATE', 'SDPOnDemand.requests.CREATE'],
  input: z.strictObject({ requestId: idArgument, ...argumentsOf(noteFields, ['description']) }),
  output: z.object({ note: anyRecord }),
  async run({ requestId, ...args }, portal) {
    const input = { request_note: entityOf(noteFields, args) };
    const body = await portal.send({ method: 'POST', path: ['requests', requestId, 'notes'], input });
    return { data: { note: recordIn(body, 'request_note') } };
  },
});

export const requestTools: readonly ToolMaker[] = [
  createTool(requests, {
    name: 'create_request',
    description: 'Opens a request: an incident or a service request',
    fields,
    mandatory: ['subject'],
    scopes: ['SDPOnDemand.requests.CREATE'],
  }),
  updateTool(requests, {
    name: 'update_request',
    description: 'Changes fields of a request, also its status, its technician and its resolution',
    fields: [...fields, resolution],
    scopes: ['SDPOnDemand.requests.UPDATE'],
  }),
  getRequest,
  deleteRequest,
  listTool(requests, {
    name: 'list_requests',
    description: 'Requests, the newest first unless asked otherwise by sortField',
    filters: [
      { name: 'status', about: 'Such as Open', field: 'status.name' },
      { name: 'requesterEmail', about: 'Of this requester', field: 'requester.email_id' },
      { name: 'technicianEmail', about: 'Of this technician', field: 'technician.email_id' },
      { name: 'priority', about: 'Such as High', field: 'priority.name' },
      { name: 'group', about: 'Of this support group', field: 'group.name' },
      { name: 'keyword', about: 'A part of the subject', field: 'subject', condition: 'contains' },
    ],
  }),
  searchTool(requests),
  listMyRequests,
  closeRequest,
  addRequestNote,
  listBelowTool(requests, {
    name: 'list_request_notes',
    description: 'The notes of a request',
    segment: 'notes',
    label: 'note',
  }),
];
