import { type FakeRecord } from './filter.ts';

export interface PicklistEntry {
  readonly value: number | string;
  readonly label: string;
  readonly isActive?: boolean;
  readonly isDefaultValue?: boolean;
  readonly parentValue?: number;
}

export type Picklists = Readonly<Record<string, Readonly<Record<string, readonly PicklistEntry[]>>>>;

/** One customer of Autotask: its API user and its database. */
export interface FakeAccount {
  readonly username: string;
  readonly secret: string;
  readonly integrationCode: string;
  readonly picklists: Picklists;
  /** By collection, in the order of their ids. */
  readonly records: Record<string, FakeRecord[]>;
}

const list = (...labels: string[]): PicklistEntry[] =>
  labels.map((label, index) => ({ value: index + 1, label, isDefaultValue: false }));

/** The values that the founding document calls common; there they are those of one account, and so they are here. */
const commonLists: Picklists = {
  Tickets: {
    status: [
      { value: 1, label: 'New', isDefaultValue: true },
      { value: 5, label: 'Complete' },
      { value: 8, label: 'In Progress' },
      { value: 9, label: 'Waiting Materials', isActive: false },
    ],
    priority: list('Critical', 'High', 'Medium', 'Low'),
    queueID: [
      { value: 29_682_833, label: 'Client Portal' },
      { value: 29_682_969, label: 'Triage' },
    ],
    issueType: list('Network', 'Computer'),
    subIssueType: [
      { value: 11, label: 'Other', parentValue: 1 },
      { value: 12, label: 'Other', parentValue: 2 },
      { value: 13, label: 'VPN', parentValue: 1 },
    ],
    ticketType: list('Service Request', 'Incident'),
    source: list('Phone', 'Email'),
  },
  TicketNotes: {
    noteType: list('Task Summary', 'Task Detail', 'Task Notes'),
    publish: list('All Autotask Users', 'Internal Project Team'),
  },
  TicketAttachments: {
    publish: list('All Autotask Users', 'Internal Project Team'),
    attachmentType: [
      { value: 'FILE_ATTACHMENT', label: 'Attachment' },
      { value: 'URL', label: 'Link' },
    ],
  },
  Companies: { companyType: list('Customer', 'Lead'), classification: list('Gold') },
  Projects: {
    projectType: [
      { value: 1, label: 'Fixed Price', isDefaultValue: true },
      { value: 2, label: 'Time and Materials' },
      { value: 3, label: 'Retainer' },
    ],
    status: list('New', 'In Progress'),
  },
  Tasks: { status: list('New', 'In Progress'), taskType: list('Fixed Work', 'Fixed Duration') },
  ConfigurationItems: { configurationItemType: list('Workstation', 'Server') },
  Contracts: {
    status: list('Inactive', 'Active'),
    contractType: list('Time & Materials', 'Recurring Service'),
  },
  Opportunities: {
    stage: list('Qualification', 'Proposal', 'Negotiation', 'Closed'),
    status: list('Open', 'Won', 'Lost'),
  },
  Products: { productCategory: list('Hardware') },
  ServiceCalls: { status: list('New', 'Complete') },
};

/** An account with a little of everything in it; `mark` is in every text, so that one tenant's data is known by it. */
export function someAccount(mark: string, lists: Picklists = {}): FakeAccount {
  const created = '2026-01-05T10:00:00';
  return {
    username: `api-${mark}@example.com`,
    secret: `secret-of-${mark}-0123456789`,
    integrationCode: `CODE${mark.toUpperCase()}0123456789`,
    picklists: { ...commonLists, ...lists },
    records: {
      Companies: [
        company(0, `Own company of ${mark}`),
        company(12_345, `Tech Partners ${mark}`),
        company(12_346, `Acme Corp ${mark}`),
        { ...company(12_347, `Old Tech ${mark}`), isActive: false },
      ],
      Contacts: [
        {
          id: 501,
          companyID: 12_345,
          firstName: 'Ada',
          lastName: `Lovelace ${mark}`,
          emailAddress: 'ada@example.com',
          isActive: 1,
        },
      ],
      Tickets: [
        {
          id: 9_999,
          companyID: 12_345,
          title: `VPN is down at ${mark}`,
          description: 'Since Monday',
          status: 1,
          priority: 2,
          queueID: 29_682_833,
          ticketNumber: 'T20260105.0001',
          createDate: created,
          dueDateTime: '2026-01-06T10:00:00Z',
          userDefinedFields: [{ name: 'Room', value: 'B12' }],
        },
        {
          id: 10_000,
          companyID: 12_346,
          title: `Printer at ${mark}`,
          status: 5,
          priority: 4,
          ticketNumber: 'T20260106.0001',
          createDate: '2026-01-06T10:00:00.123',
        },
      ],
      TicketNotes: [
        { id: 71, ticketID: 9_999, title: 'First', description: 'Looked at it', noteType: 3, publish: 1 },
      ],
      TicketAttachments: [
        {
          id: 81,
          parentID: 9_999,
          ticketID: 9_999,
          title: 'log.txt',
          fullPath: 'log.txt',
          attachmentType: 'FILE_ATTACHMENT',
          contentType: 'text/plain',
          fileSize: 5,
          data: 'aGVsbG8=',
        },
      ],
      Projects: [{ id: 300, projectName: `Migration ${mark}`, companyID: 12_345, projectType: 1, status: 1 }],
      Tasks: [{ id: 400, projectID: 300, title: 'Plan', status: 1, taskType: 1 }],
      TimeEntries: [
        { id: 600, resourceID: 678, ticketID: 9_999, hoursWorked: 1, dateWorked: '2026-01-05T00:00:00' },
      ],
      ConfigurationItems: [
        {
          id: 700,
          companyID: 12_345,
          productID: 50,
          serialNumber: 'SN-1',
          referenceTitle: 'Server',
          isActive: true,
        },
      ],
      Contracts: [{ id: 800, companyID: 12_345, contractName: 'Support', status: 2, contractType: 2 }],
      Opportunities: [
        { id: 900, companyID: 12_345, title: 'More seats', status: 1, stage: 2, amount: 5_000 },
        { id: 901, companyID: 12_345, title: 'Lost one', status: 3, stage: 4, amount: 1 },
      ],
      Resources: [
        {
          id: 678,
          firstName: 'Grace',
          lastName: `Hopper ${mark}`,
          email: 'grace@example.com',
          isActive: true,
          defaultServiceDeskRoleID: 77,
        },
      ],
      ResourceRoles: [{ id: 1, resourceID: 678, roleID: 77, isActive: true }],
      Invoices: [
        {
          id: 1_100,
          companyID: 12_345,
          invoiceNumber: 'I-1',
          invoiceTotal: 12.5,
          isVoided: false,
          invoiceDateTime: created,
        },
      ],
      Quotes: [{ id: 1_200, companyID: 12_345, name: 'Seats', opportunityID: 900, isActive: true }],
      QuoteItems: [{ id: 1_250, quoteID: 1_200, name: 'Seat', quantity: 3, productID: 50 }],
      Products: [{ id: 50, name: 'Laptop', sku: 'LAP-1', isActive: true, productCategory: 1 }],
      ServiceCalls: [
        {
          id: 1_300,
          companyID: 12_345,
          status: 1,
          startDateTime: '2026-01-07T08:00:00',
          endDateTime: '2026-01-07T09:00:00',
        },
      ],
    },
  };
}

const company = (id: number, companyName: string): FakeRecord => ({
  id,
  companyName,
  companyType: 1,
  isActive: true,
  phone: '1',
  ownerResourceID: 678,
});
