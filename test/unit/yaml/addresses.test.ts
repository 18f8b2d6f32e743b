import { describe, expect, test } from 'vitest';
import { addresses, addressList } from '../../../src/yaml/addresses.ts';

const list = (...texts: string[]) => addressList(addresses().parse(texts));

describe('a list of addresses', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7', '192.0.2.8'],
    ['10.0.0.0/8', '10.255.0.1', '11.0.0.1'],
    ['10.1.2.3/16', '10.1.255.255', '10.2.0.0'],
    ['0.0.0.0/0', '203.0.113.1', '2001:db8::1'],
    ['192.0.2.0/31', '192.0.2.1', '192.0.2.2'],
    ['::1', '0:0:0:0:0:0:0:1', '::2'],
    ['2001:db8::/32', '2001:db8:ffff::1', '2001:db9::1'],
    // A socket that listens on both kinds shows the one as the other.
    ['10.0.0.0/8', '::ffff:10.1.2.3', '::ffff:11.1.2.3'],
  ])('%s has %s and not %s', (text, inside, outside) => {
    expect([list(text).has(inside), list(text).has(outside)]).toEqual([true, false]);
  });

  test('has what any of its parts has', () => {
    const both = list('10.0.0.0/8', '2001:db8::/32');
    expect(['10.0.0.1', '2001:db8::1', '192.0.2.1'].map((each) => both.has(each))).toEqual([
      true,
      true,
      false,
    ]);
  });

  test.each(['', 'unknown', '10.0.0', '10.0.0.1:80', 'localhost', '10.0.0.0/8'])('has no %j', (text) => {
    expect(list('0.0.0.0/0', '::/0').has(text)).toBe(false);
  });

  test.each([
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '10.0.0.0/0x8',
    'host',
    '10.0.0',
  ])('refuses %s', (text) => {
    expect(() => list('10.0.0.1', text)).toThrow('write an address or a network');
  });
});
