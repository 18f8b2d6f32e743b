import { describe, expect, test } from 'vitest';
import { isReachable } from '../../../../../src/workers/sandbox/egress/reachable.ts';

describe('a name that an operator has listed', () => {
  test.each([
    ...[
      '127.0.0.1',
      '127.77.0.1',
      '0.0.0.0',
      '0.1.2.3',
      '169.254.169.254',
      '169.254.0.1',
      '224.0.0.1',
      '255.255.255.255',
    ],
    ...[
      '100.100.100.200',
      '168.63.129.16',
      '::',
      '::1',
      '::127.0.0.1',
      '::ffff:127.0.0.1',
      '::ffff:a9fe:a9fe',
    ],
    ...['fe80::1', 'fe80::1%eth0', 'febf::1', 'fec0::1', 'ff02::1', 'fd00:ec2::254', '64:ff9b::127.0.0.1'],
    ...['64:ff9b::169.254.169.254', '64:ff9b::', '2002:7f00:1::', '2002:a9fe:a9fe::1'],
  ])('does not lead to %s', (address) => {
    expect(isReachable('db.internal', address)).toBe(false);
  });

  test.each([
    ...[
      '10.0.0.1',
      '172.16.0.1',
      '192.168.1.1',
      '100.64.0.1',
      '93.184.216.34',
      '223.255.255.255',
      '128.0.0.1',
    ],
    ...['fd12::1', '2001:db8::1', '::ffff:10.0.0.1', '64:ff9b::8.8.8.8', 'fd00:ec2::253'],
  ])('may lead to %s', (address) => {
    expect(isReachable('db.internal', address)).toBe(true);
  });

  test('is this machine only as localhost, and localhost is nothing else', () => {
    expect(['127.0.0.1', '127.5.5.5', '::1'].every((address) => isReachable('localhost', address))).toBe(
      true,
    );
    expect(
      ['10.0.0.1', '169.254.169.254', '::2', '0.0.0.0'].some((address) => isReachable('localhost', address)),
    ).toBe(false);
  });
});
