import type { Tool } from '../../kit/surface.ts';
import type { Autotask } from '../autotask.ts';
import { getTool } from '../get-tool.ts';
import { containsIn, isChoice, isFlag } from '../search-arguments.ts';
import { searchTool } from '../search-tool.ts';
import { choiceField, flagField, idField, textField, type WriteField } from '../write-fields.ts';
import { createTool, updateTool } from '../write-tool.ts';

const entity = 'Companies';

const fields = {
  companyName: textField(100, 'Its name'),
  companyType: choiceField('Customer, lead, vendor and so on'),
  phone: textField(25, 'Its telephone number'),
  ownerResourceID: idField('The resource who looks after it'),
  address1: textField(128, 'Street'),
  address2: textField(128, 'Street, second line'),
  city: textField(50, 'City'),
  state: textField(40, 'State or county'),
  postalCode: textField(20, 'Postal code'),
  countryID: idField('Its country'),
  webAddress: textField(255, 'Its web page'),
  companyNumber: textField(50, "The caller's own number for it"),
  parentCompanyID: idField('The company it belongs to'),
  classification: choiceField('Its classification'),
  isActive: flagField('Whether it is in use'),
} satisfies Record<string, WriteField>;

export const companyTools = (autotask: Autotask): readonly Tool[] => [
  getTool(autotask, { name: 'get_company', entity, noun: 'company' }),
  createTool(autotask, {
    name: 'create_company',
    title: 'Create a company',
    description: 'Makes a customer, vendor or other company.',
    entity,
    fields,
    required: ['companyName', 'companyType', 'phone', 'ownerResourceID'],
  }),
  updateTool(autotask, {
    name: 'update_company',
    title: 'Update a company',
    description: 'Changes a company.',
    entity,
    fields,
    required: [],
  }),
  searchTool(autotask, {
    name: 'search_companies',
    title: 'Search companies',
    description: 'Companies by name or type.',
    entity,
    plural: 'companies',
    arguments: {
      searchTerm: containsIn('A part of the name', ['companyName']),
      companyType: isChoice('Customer, lead, vendor and so on'),
      isActive: isFlag('Whether it is in use'),
    },
  }),
];
