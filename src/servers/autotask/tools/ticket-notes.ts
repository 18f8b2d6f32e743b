import type { Tool } from '../../kit/surface.ts';
import type { Autotask } from '../autotask.ts';
import { id } from '../arguments.ts';
import { isId } from '../search-arguments.ts';
import { searchTool } from '../search-tool.ts';
import { choiceField, idField, textField, type WriteField } from '../write-fields.ts';
import { createTool } from '../write-tool.ts';

const entity = 'TicketNotes';

/** A search of the notes of one ticket must say which. */
const ofTicket = { ...isId('The ticket'), schema: id('The ticket') };

export const ticketNoteTools = (autotask: Autotask): readonly Tool[] => [
  createTool(autotask, {
    name: 'add_ticket_note',
    title: 'Add a note to a ticket',
    description:
      'Adds a note. publish says who sees it (such as "All Autotask Users" or "Internal Project Team"), noteType what it ' +
      'is; their values are in get_field_info of TicketNotes.',
    entity,
    fields: {
      ticketID: idField('The ticket'),
      title: textField(250, 'Its title'),
      description: textField(32_000, 'Its text'),
      noteType: choiceField('What kind of note it is'),
      publish: choiceField('Who may see it'),
    } satisfies Record<string, WriteField>,
    required: ['ticketID', 'description', 'noteType', 'publish'],
    // There is no POST to TicketNotes.
    path: ({ ticketID }) => `Tickets/${String(ticketID)}/Notes`,
  }),
  searchTool(autotask, {
    name: 'get_ticket_notes',
    title: 'Get the notes of a ticket',
    description: 'The notes of one ticket.',
    entity,
    plural: 'notes',
    arguments: { ticketID: ofTicket },
  }),
];
