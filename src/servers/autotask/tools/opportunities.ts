import type { Tool } from '../../kit/surface.ts';
import type { Autotask } from '../autotask.ts';
import { getTool } from '../get-tool.ts';
import { isChoice, isId } from '../search-arguments.ts';
import { searchTool } from '../search-tool.ts';
import {
  choiceField,
  flagField,
  idField,
  numberField,
  textField,
  timeField,
  type WriteField,
} from '../write-fields.ts';
import { createTool } from '../write-tool.ts';

const fields = {
  title: textField(128, 'What it is about, in one line'),
  companyID: idField('The customer'),
  ownerResourceID: idField('Who looks after it'),
  stage: choiceField('How far it is'),
  status: choiceField('Open, won or lost'),
  amount: numberField('What it would bring'),
  cost: numberField('What it would cost; 0 unless given'),
  probability: numberField('How likely it is, in per cent', 0, 100),
  startDate: timeField('Since when it is there; today unless given'),
  projectedCloseDate: timeField('When it should be decided'),
  useQuoteTotals: flagField('Whether its amounts come from its quote; no, unless given'),
  contactID: idField('Who at the customer asked'),
  description: textField(8_000, 'What it is about'),
} satisfies Record<string, WriteField>;

const today = ({ clock }: Autotask): string =>
  `${new Date(clock.wall()).toISOString().slice(0, 10)}T00:00:00Z`;

export const opportunityTools = (autotask: Autotask): readonly Tool[] => [
  getTool(autotask, { name: 'get_opportunity', entity: 'Opportunities', noun: 'opportunity' }),
  createTool(autotask, {
    name: 'create_opportunity',
    title: 'Create an opportunity',
    description:
      "Makes a sales opportunity. Stage and status are this account's defaults unless they are given; the answer says " +
      'what was filled in.',
    entity: 'Opportunities',
    fields,
    required: ['title', 'companyID', 'ownerResourceID', 'amount', 'probability', 'projectedCloseDate'],
    usualLabels: { stage: 'Qualification', status: 'Open' },
    defaults: () => ({ cost: 0, useQuoteTotals: false, startDate: today(autotask) }),
  }),
  searchTool(autotask, {
    name: 'search_opportunities',
    title: 'Search opportunities',
    description: 'Opportunities by customer, status or stage.',
    entity: 'Opportunities',
    plural: 'opportunities',
    arguments: {
      companyID: isId('The customer'),
      status: isChoice('Open, won or lost'),
      stage: isChoice('How far it is'),
      ownerResourceID: isId('Who looks after it'),
    },
  }),
];
