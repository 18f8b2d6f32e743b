import { expect, test } from 'vitest';
import { errorCodeEdit, errorCodeOf } from '../../../src/bridge/error-code.ts';
import { edited, responseWith } from './some-response.ts';

test.each([
  ['"error":{"code":-32602,"message":"m"}', -32602],
  ['"error":{"message":"m","code": -1 }', -1],
  ['"error":{"message":"m"}', Number.NaN],
  ['"error":{"code":"-32602"}', Number.NaN],
  ['"error":"broken"', Number.NaN],
  ['"error":null', Number.NaN],
  ['"result":{"code":-32602}', Number.NaN],
])('the number of %s', (member, code) => {
  expect(errorCodeOf(responseWith(member))).toBe(code);
});

test('a number that has another name in the other era is exchanged, and not a byte beside it', () => {
  const response = responseWith('"error":{"data":{"code":-32002, "n":1.0}, "code" : -32002 ,"message":"é"}');
  expect(edited(response, errorCodeEdit(response, new Map([[-32002, -32602]])))).toBe(
    '{"jsonrpc":"2.0","id":7,"error":{"data":{"code":-32002, "n":1.0}, "code" : -32602 ,"message":"é"}}',
  );
});

test.each([
  '"error":{"code":-32000,"message":"m"}',
  '"error":{"message":"m"}',
  '"error":[-32002]',
  '"result":{}',
])('%s stays as it is', (member) => {
  const response = responseWith(member);
  expect(errorCodeEdit(response, new Map([[-32002, -32602]]))).toEqual([]);
});
