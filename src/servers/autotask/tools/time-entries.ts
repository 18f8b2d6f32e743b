import { ToolFailure } from '../../kit/failure.ts';
import type { CallContext, Tool } from '../../kit/surface.ts';
import type { Autotask } from '../autotask.ts';
import type { AutotaskRecord } from '../records.ts';
import { isId, notAfter, notBefore } from '../search-arguments.ts';
import { searchTool } from '../search-tool.ts';
import { flagField, idField, numberField, textField, timeField, type WriteField } from '../write-fields.ts';
import { createTool } from '../write-tool.ts';

const entity = 'TimeEntries';

const fields = {
  resourceID: idField('Who worked'),
  ticketID: idField('The ticket worked on; either this or taskID'),
  taskID: idField('The task worked on; either this or ticketID'),
  roleID: idField("In which role; left out: the resource's own service desk role"),
  dateWorked: timeField('The day'),
  startDateTime: timeField('When the work began'),
  endDateTime: timeField('When it ended'),
  hoursWorked: numberField('How long, in hours', 0, 24),
  summaryNotes: textField(8_000, 'What was done; the customer may see it'),
  internalNotes: textField(8_000, 'What the customer does not see'),
  isNonBillable: flagField('Whether the customer is not charged'),
  billingCodeID: idField('The work type'),
} satisfies Record<string, WriteField>;

export const timeEntryTools = (autotask: Autotask): readonly Tool[] => [
  createTool(autotask, {
    name: 'create_time_entry',
    title: 'Log time',
    description:
      'Logs time on a ticket or a task: hoursWorked with dateWorked, or startDateTime and endDateTime. Billable unless ' +
      'isNonBillable says otherwise.',
    entity,
    fields,
    required: ['resourceID'],
    finish: (body, call) => finished(autotask, body, call),
  }),
  searchTool(autotask, {
    name: 'search_time_entries',
    title: 'Search time entries',
    description: 'Logged time by resource, ticket, task or dates.',
    entity,
    plural: 'time entries',
    arguments: {
      resourceID: isId('Who worked'),
      ticketID: isId('The ticket'),
      taskID: isId('The task'),
      dateFrom: notBefore('Worked then or later', 'dateWorked'),
      dateTo: notAfter('Worked then or earlier', 'dateWorked'),
    },
  }),
];

async function finished(
  autotask: Autotask,
  body: AutotaskRecord,
  call: CallContext,
): Promise<AutotaskRecord> {
  checkWork(body);
  if ('roleID' in body) return body;
  const roleID = await roleOf(autotask, body['resourceID'], call);
  return roleID === undefined ? body : { ...body, roleID };
}

function checkWork(body: AutotaskRecord): void {
  if ('ticketID' in body === 'taskID' in body) throw mistake('Give either ticketID or taskID');
  const hasSpan = 'startDateTime' in body && 'endDateTime' in body;
  const hasHours = 'dateWorked' in body && 'hoursWorked' in body;
  if (!hasSpan && !hasHours)
    throw mistake('Give dateWorked and hoursWorked, or startDateTime and endDateTime');
  if (body['hoursWorked'] === 0) throw mistake('hoursWorked must be more than 0');
}

/** Autotask wants a role with work on tickets and tasks; most people have one that is theirs. */
async function roleOf(autotask: Autotask, resourceID: unknown, { signal }: CallContext): Promise<unknown> {
  try {
    const resource = await autotask.records.get('Resources', resourceID as number, signal);
    return resource['defaultServiceDeskRoleID'] ?? undefined;
  } catch (thrown) {
    // Without a role Autotask itself says what is missing.
    if (thrown instanceof ToolFailure && thrown.code === 'FORBIDDEN') return undefined;
    throw thrown;
  }
}

const mistake = (message: string): ToolFailure => new ToolFailure('INVALID_INPUT', message);
