import type { Tool } from '../../kit/surface.ts';
import type { Autotask } from '../autotask.ts';
import { getTool } from '../get-tool.ts';
import { isId, isNumberFlag, isText, personCalled } from '../search-arguments.ts';
import { searchTool } from '../search-tool.ts';
import { idField, numberFlagField, textField, type WriteField } from '../write-fields.ts';
import { createTool, updateTool, type WriteTool } from '../write-tool.ts';

const entity = 'Contacts';

const fields = {
  companyID: idField('The company'),
  firstName: textField(50, 'First name'),
  lastName: textField(50, 'Last name'),
  isActive: numberFlagField('Whether the contact is in use; yes, unless told otherwise'),
  emailAddress: textField(254, 'E-mail address'),
  phone: textField(32, 'Telephone'),
  mobilePhone: textField(32, 'Mobile telephone'),
  title: textField(50, 'Position'),
  externalID: textField(50, "The caller's own id"),
} satisfies Record<string, WriteField>;

/** There is no POST or PATCH to Contacts: they are written below their company. */
const path: WriteTool['path'] = ({ companyID }) => `Companies/${String(companyID)}/Contacts`;

export const contactTools = (autotask: Autotask): readonly Tool[] => [
  getTool(autotask, { name: 'get_contact', entity, noun: 'contact' }),
  createTool(autotask, {
    name: 'create_contact',
    title: 'Create a contact',
    description: 'Makes a contact of a company.',
    entity,
    fields,
    required: ['companyID', 'firstName', 'lastName'],
    defaults: () => ({ isActive: 1 }),
    path,
  }),
  updateTool(autotask, {
    name: 'update_contact',
    title: 'Update a contact',
    description: 'Changes a contact; companyID is the company it belongs to.',
    entity,
    fields,
    required: ['companyID'],
    path,
  }),
  searchTool(autotask, {
    name: 'search_contacts',
    title: 'Search contacts',
    description: 'Contacts by company, e-mail address or name.',
    entity,
    plural: 'contacts',
    arguments: {
      companyID: isId('The company'),
      emailAddress: isText('The whole e-mail address'),
      name: personCalled('First name, last name, or both'),
      isActive: isNumberFlag('Whether the contact is in use'),
    },
  }),
];
