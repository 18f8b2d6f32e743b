import type { Surface, Tool } from '../kit/surface.ts';
import type { Account } from './account.ts';
import type { Autotask } from './autotask.ts';
import { createConnection } from './connection.ts';
import { createFieldInfo } from './field-info.ts';
import { createRecords } from './records.ts';
import { accountTools } from './tools/account.ts';
import { assetTools, contractTools } from './tools/assets.ts';
import { attachmentTools } from './tools/attachments.ts';
import { billingTools } from './tools/billing.ts';
import { catalogueTools } from './tools/catalogue.ts';
import { companyTools } from './tools/companies.ts';
import { contactTools } from './tools/contacts.ts';
import { opportunityTools } from './tools/opportunities.ts';
import { projectTools, taskTools } from './tools/projects.ts';
import { recordTools } from './tools/records.ts';
import { resourceTools } from './tools/resources.ts';
import { ticketNoteTools } from './tools/ticket-notes.ts';
import { ticketTools } from './tools/tickets.ts';
import { timeEntryTools } from './tools/time-entries.ts';
import type { AutotaskWorkshop } from './workshop.ts';

/** Everything that is offered, for one account. */
export function openAutotask(workshop: AutotaskWorkshop): Surface {
  const { log, clock, settings } = workshop;
  const connection = createConnection(workshop);
  const records = createRecords(connection);
  const autotask: Autotask = { connection, records, fieldInfo: createFieldInfo(records, clock), log, clock };
  const families: readonly ((autotask: Autotask, account: Account) => readonly Tool[])[] = [
    ticketTools,
    ticketNoteTools,
    companyTools,
    contactTools,
    projectTools,
    taskTools,
    timeEntryTools,
    assetTools,
    contractTools,
    opportunityTools,
    resourceTools,
    accountTools,
    attachmentTools,
    billingTools,
    catalogueTools,
    recordTools,
  ];
  return { tools: families.flatMap((family) => family(autotask, settings)) };
}
