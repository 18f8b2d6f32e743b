import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { createRemoteOf } from '../../../src/http/remote-address.ts';
import { addressList } from '../../../src/yaml/addresses.ts';

const from = (remoteAddress: string | undefined, forwarded?: string) =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage;
const trusting = (...texts: string[]) => createRemoteOf(addressList(texts));

test('who connects is who asks, whatever the headers say', () => {
  expect(trusting()(from('192.0.2.1', '10.0.0.1'))).toBe('192.0.2.1');
  expect(trusting('10.0.0.0/8')(from('192.0.2.1', '10.0.0.1'))).toBe('192.0.2.1');
  expect(trusting()(from(undefined))).toBe('');
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  // The client wrote the first one itself.
  ['10.9.9.9, 192.0.2.1', '192.0.2.1'],
  ['198.51.100.1, 192.0.2.1, 10.0.0.2', '192.0.2.1'],
  ['192.0.2.1,10.0.0.2,10.0.0.3', '192.0.2.1'],
  ['10.0.0.5', '10.0.0.5'],
  ['', '10.0.0.1'],
  ['192.0.2.1, ', '10.0.0.1'],
  ['192.0.2.1, unknown', 'unknown'],
])('behind a proxy that is trusted, "%s" is from %s', (forwarded, remote) => {
  expect(trusting('10.0.0.0/8')(from('10.0.0.1', forwarded))).toBe(remote);
});

test('a proxy that is trusted and says nothing is who asks', () => {
  expect(trusting('10.0.0.0/8')(from('10.0.0.1'))).toBe('10.0.0.1');
});
