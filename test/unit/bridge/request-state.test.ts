import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createStateSeal,
  type SealedState,
  type StateOwner,
  stateLifetimeMs,
} from '../../../src/bridge/request-state.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const owner: StateOwner = {
  tenantId: 'acme',
  keyName: 'laptop',
  server: 'default',
  method: 'tools/call',
  name: 'deploy',
};

function someSeal() {
  const clock = createFakeClock();
  const states = createStateSeal(() => clock.now());
  return {
    clock,
    seal: (whose: StateOwner, state: SealedState) => states.seal(whose, state),
    open: (whose: StateOwner, sealed: string) => states.open(whose, sealed),
  };
}

test('what was sealed is known again', () => {
  const { seal, open } = someSeal();
  for (const state of [{ park: 7 }, { worker: 3, state: '"é \\u0000"' }, {}])
    expect(open(owner, seal(owner, state))).toEqual(state);
});

test('it can stand in JSON and in a log as it is', () => {
  expect(someSeal().seal(owner, { state: '"\\ "é' })).toMatch(/^[\w-]+\.[\w-]+$/);
});

describe('it is as good as forged', () => {
  test.each([
    ['tenant', { tenantId: 'other' }],
    ['key', { keyName: 'desktop' }],
    ['server', { server: 'second' }],
    ['method', { method: 'prompts/get' }],
    ['tool', { name: 'delete' }],
    ['border between two of them', { server: 'default","tools/call', method: '' }],
  ])('in the hands of another %s', (_what, other) => {
    const { seal, open } = someSeal();
    expect(open({ ...owner, ...other }, seal(owner, { park: 1 }))).toBeUndefined();
    expect(open(owner, seal({ ...owner, ...other }, { park: 1 }))).toBeUndefined();
  });

  test('with one character changed, wherever that is', () => {
    const { seal, open } = someSeal();
    const sealed = seal(owner, { park: 1 });
    const payloadLength = sealed.indexOf('.');
    fc.assert(
      fc.property(
        fc.nat(payloadLength - 1),
        fc.constantFrom('A', 'Q', 'g', 'w', '0', '5', '9', '_', '-'),
        (at, other) => {
          fc.pre(sealed[at] !== other);
          expect(open(owner, sealed.slice(0, at) + other + sealed.slice(at + 1))).toBeUndefined();
        },
      ),
    );
  });

  test('with a later expiry, another call, or none of the signature', () => {
    const { seal, open, clock } = someSeal();
    const [payload = '', mac = ''] = seal(owner, { park: 1 }).split('.');
    const forged = (state: object) => Buffer.from(JSON.stringify(state)).toString('base64url');
    for (const text of [
      `${forged({ park: 1, until: clock.now() + 2 * stateLifetimeMs })}.${mac}`,
      `${forged({ park: 2, until: clock.now() + stateLifetimeMs })}.${mac}`,
      payload,
      `${payload}.`,
      `.${mac}`,
      `${payload}.${mac.slice(0, -4)}`,
      `${payload}.${mac}.`,
      `${payload}.${mac}.${mac}`,
      '',
    ])
      expect(open(owner, text)).toBeUndefined();
  });

  test('whatever a client makes up', () => {
    const { open } = someSeal();
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(open(owner, text)).toBeUndefined();
      }),
    );
  });

  test('after a restart of the proxy: the key is gone', () => {
    expect(someSeal().open(owner, someSeal().seal(owner, { park: 1 }))).toBeUndefined();
  });
});

test('it expires', () => {
  const { seal, open, clock } = someSeal();
  const sealed = seal(owner, { park: 1 });
  clock.advance(stateLifetimeMs - 1);
  expect(open(owner, sealed)).toEqual({ park: 1 });
  clock.advance(1);
  expect(open(owner, sealed)).toBeUndefined();
});
