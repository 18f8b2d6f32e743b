import type { Tool } from '../../kit/surface.ts';
import type { Autotask } from '../autotask.ts';
import { getTool } from '../get-tool.ts';
import { containsIn, isChoice, isFlag, isId, isText } from '../search-arguments.ts';
import { searchTool } from '../search-tool.ts';
import { choiceField, flagField, idField, textField, timeField, type WriteField } from '../write-fields.ts';
import { createTool } from '../write-tool.ts';

const fields = {
  companyID: idField('The customer that has it'),
  productID: idField('The product it is'),
  isActive: flagField('Whether it is in use; yes, unless told otherwise'),
  installDate: timeField('When it was installed'),
  referenceTitle: textField(255, 'What it is called'),
  referenceNumber: textField(50, "The caller's own number for it"),
  serialNumber: textField(100, 'Its serial number'),
  configurationItemType: choiceField('Its type'),
  contactID: idField('Who at the customer has it'),
  contractID: idField('The contract it belongs to'),
  location: textField(100, 'Where it stands'),
  notes: textField(2_000, 'What else is to be known'),
  warrantyExpirationDate: timeField('When its warranty ends'),
} satisfies Record<string, WriteField>;

export const assetTools = (autotask: Autotask): readonly Tool[] => [
  getTool(autotask, {
    name: 'get_configuration_item',
    entity: 'ConfigurationItems',
    noun: 'configuration item',
  }),
  createTool(autotask, {
    name: 'create_configuration_item',
    title: 'Create a configuration item',
    description: 'Makes an asset of a customer.',
    entity: 'ConfigurationItems',
    fields,
    required: ['companyID', 'productID'],
    defaults: () => ({ isActive: true }),
  }),
  searchTool(autotask, {
    name: 'search_configuration_items',
    title: 'Search configuration items',
    description: 'Assets by customer, product or serial number.',
    entity: 'ConfigurationItems',
    plural: 'configuration items',
    arguments: {
      companyID: isId('The customer'),
      productID: isId('The product'),
      serialNumber: isText('The whole serial number'),
      name: containsIn('A part of what it is called', ['referenceTitle']),
      isActive: isFlag('Whether it is in use'),
    },
  }),
];

export const contractTools = (autotask: Autotask): readonly Tool[] => [
  getTool(autotask, { name: 'get_contract', entity: 'Contracts', noun: 'contract' }),
  searchTool(autotask, {
    name: 'search_contracts',
    title: 'Search contracts',
    description: 'Contracts by customer, status or type.',
    entity: 'Contracts',
    plural: 'contracts',
    arguments: {
      companyID: isId('The customer'),
      status: isChoice('Its status'),
      contractType: isChoice('Its type'),
      name: containsIn('A part of its name', ['contractName']),
    },
  }),
];
