import { named, text, udfFields, user } from './fields.ts';
import { listTool, searchTool } from './listing.ts';
import type { Module, ToolMaker } from './module.ts';
import { getTool, updateTool } from './records.ts';

const assets: Module = {
  plural: 'assets',
  key: 'asset',
  idName: 'assetId',
  label: 'asset',
  titleField: 'name',
  read: ['SDPOnDemand.assets.READ'],
};

const fields = [
  text('name', 'Its name', { max: 250 }),
  named('product', 'The product it is one of'),
  named('state', 'Such as In Use'),
  user('userEmail', 'Who uses it', 'user'),
  named('department', 'Where it is used'),
  named('site', 'The site'),
  text('location', 'Where it stands', { max: 250 }),
  text('assetTag', 'The tag on it', { key: 'asset_tag', max: 250 }),
  text('serialNumber', 'Its serial number', { key: 'serial_number', max: 250 }),
  udfFields,
];

export const assetTools: readonly ToolMaker[] = [
  getTool(assets),
  updateTool(assets, {
    name: 'update_asset',
    description: 'Changes fields of an asset, also who uses it and its state',
    fields,
    scopes: ['SDPOnDemand.assets.UPDATE'],
  }),
  listTool(assets, {
    name: 'list_assets',
    description: 'Assets',
    filters: [
      { name: 'state', about: 'Such as In Use', field: 'state.name' },
      { name: 'product', about: 'Of this product', field: 'product.name' },
      { name: 'userEmail', about: 'Used by', field: 'user.email_id' },
    ],
  }),
  searchTool(assets),
];
