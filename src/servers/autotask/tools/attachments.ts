import { z } from 'zod';
import { ToolFailure } from '../../kit/failure.ts';
import type { Tool } from '../../kit/surface.ts';
import { defineTool } from '../../kit/tool.ts';
import { entityMeta, id, picklist, recordOutput, text, writeOutput } from '../arguments.ts';
import type { Autotask } from '../autotask.ts';
import { valueOf } from '../picklists.ts';
import { isId } from '../search-arguments.ts';
import { searchTool } from '../search-tool.ts';

const entity = 'TicketAttachments';
/** What Autotask takes; base64 is a third longer. */
const maxFileBytes = 6_000_000;

export const attachmentTools = (autotask: Autotask): readonly Tool[] => [
  searchTool(autotask, {
    name: 'list_ticket_attachments',
    title: 'List the attachments of a ticket',
    description: 'The attachments of one ticket, without their contents.',
    entity,
    plural: 'attachments',
    arguments: { ticketID: { ...isId('The ticket'), schema: id('The ticket') } },
  }),
  downloadTool(autotask),
  uploadTool(autotask),
];

function downloadTool({ records }: Autotask): Tool {
  return defineTool({
    name: 'get_ticket_attachment',
    title: 'Get an attachment of a ticket',
    description: 'One attachment with its content, as an embedded file.',
    effect: 'read',
    input: z.strictObject({ ticketID: id('The ticket'), id: id('The attachment') }),
    output: recordOutput,
    meta: entityMeta(entity),
    async run(args, { signal }) {
      const { data, ...record } = await records.get(`Tickets/${args.ticketID}/Attachments`, args.id, signal);
      const blob = typeof data === 'string' && data !== '' ? data : undefined;
      const { contentType } = record;
      const mimeType = typeof contentType === 'string' ? contentType : 'application/octet-stream';
      const uri = `autotask://tickets/${args.ticketID}/attachments/${args.id}`;
      return {
        data: { ...record },
        ...(blob !== undefined && { content: [{ type: 'resource', resource: { uri, mimeType, blob } }] }),
      };
    },
  });
}

function uploadTool(autotask: Autotask): Tool {
  return defineTool({
    name: 'add_ticket_attachment',
    title: 'Add an attachment to a ticket',
    description: 'Adds a file of at most 6 MB to a ticket.',
    effect: 'create',
    input: z.strictObject({
      ticketID: id('The ticket'),
      fileName: z
        .string()
        .regex(/^[^/\\\p{Cc}]{1,250}$/u, 'write a name without a path')
        .describe('The name of the file'),
      title: text(255, 'What it is called; the name of the file unless given').optional(),
      data: z.base64().min(1).describe('The content, in base64'),
      publish: picklist('Who may see it').default(1),
    }),
    output: writeOutput,
    meta: entityMeta(entity),
    async run({ ticketID, fileName, title = fileName, data, publish }, { signal }) {
      if ((data.length * 3) / 4 > maxFileBytes)
        throw new ToolFailure('INVALID_INPUT', 'The file is larger than 6 MB, which Autotask does not take');
      const fields = typeof publish === 'number' ? [] : await autotask.fieldInfo.fields(entity);
      const choice = { entity, field: 'publish', written: publish, beside: {}, isWrite: true };
      const body = {
        ticketID,
        title,
        fullPath: fileName,
        attachmentType: 'FILE_ATTACHMENT',
        publish: valueOf(fields, choice),
        data,
      };
      const made = await autotask.records.create(`Tickets/${ticketID}/Attachments`, body, signal);
      return { data: { id: made, entity } };
    },
  });
}
