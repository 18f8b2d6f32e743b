import { describe, expect, test } from 'vitest';
import type { Principal } from '../../../src/auth/principal.ts';
import type { TenantId } from '../../../src/calls/ids.ts';
import type { Caller, Upstream } from '../../../src/calls/upstream.ts';
import { type ProxyEvent } from '../../../src/events/events.ts';
import { type Session } from '../../../src/sessions/session.ts';
import { type SessionBounds, Sessions } from '../../../src/sessions/sessions.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { acme, messageOf, someCall } from '../calls/some-call.ts';
import { someBounds } from './some-budget.ts';
import { createStream } from './some-stream.ts';

const bounds: SessionBounds = { idle: 1000, maxAge: 10_000, max: 4, maxPerTenant: 2, replay: someBounds };
const laptop: Principal = { tenantId: acme, keyName: 'laptop' };
const phone: Principal = { tenantId: acme, keyName: 'phone' };
const stranger: Principal = { tenantId: 'globex' as TenantId, keyName: 'laptop' };
const result = { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'x' } };

function createHouse(own: Partial<SessionBounds> = {}) {
  const clock = createFakeClock();
  const events: ProxyEvent[] = [];
  const hungUp: { caller: Caller; reason: string }[] = [];
  const sessions = new Sessions({ ...bounds, ...own }, clock, (event) => events.push(event));
  const upstream: Pick<Upstream, 'connect'> = {
    connect: (caller) =>
      Promise.resolve({
        line: {
          exchange: () => expect.unreachable('no call is made here'),
          send: () => undefined,
          hangUp: (reason) => hungUp.push({ caller, reason }),
        },
        result,
      }),
  };
  const initialize = (params: object = {}) =>
    someCall({ message: messageOf({ id: 'first', method: 'initialize', params }) });
  const open = async (owner = laptop, server = 'default', params?: object) =>
    sessions.open(owner, server, upstream, initialize(params));
  /** Is it still here, for its owner? Asking counts as use. */
  const isHere = ({ owner, server, id }: Session) => {
    try {
      return sessions.require(owner, server, id).id === id;
    } catch {
      return false;
    }
  };
  return { clock, events, hungUp, sessions, open, isHere, initialize };
}

describe('opening', () => {
  test('answers initialize with the server’s words and the client’s id and revision', async () => {
    const { open } = createHouse();
    const { reply } = await open(laptop, 'default', { protocolVersion: '2025-03-26' });
    expect(reply.isError).toBe(false);
    expect(JSON.parse(Buffer.concat(reply.parts).toString())).toEqual({
      jsonrpc: '2.0',
      id: 'first',
      result: { ...result, protocolVersion: '2025-03-26' },
    });
  });

  test('is announced, with who came', async () => {
    const { open, events } = createHouse();
    await open(laptop, 'search', { protocolVersion: '2025-03-26', clientInfo: { name: 'claude-code' } });
    expect(events).toEqual([
      {
        type: 'session.opened',
        ...laptop,
        server: 'search',
        client: 'claude-code',
        protocolVersion: '2025-03-26',
      },
    ]);
  });

  test('gives ids that cannot be guessed: long, of visible ASCII, and never the same', async () => {
    const { open, sessions } = createHouse({ max: 100, maxPerTenant: 100 });
    const ids: string[] = [];
    for (let count = 0; count < 50; count++) ids.push((await open()).session.id);
    // 256 bits, six to a character.
    for (const id of ids) expect(id).toMatch(/^[\w-]{43}$/);
    expect(new Set(ids).size).toBe(50);
    expect(sessions.size).toBe(50);
  });

  test('leaves nothing behind if the server does not come', async () => {
    const { sessions, events, initialize } = createHouse();
    const upstream = { connect: () => Promise.reject(new Error('it does not start')) };
    for (let time = 0; time < bounds.max * 2; time++)
      await expect(sessions.open(laptop, 'default', upstream, initialize())).rejects.toThrow();
    expect(sessions.size).toBe(0);
    expect(events).toEqual([]);
  });
});

describe('a session is found', () => {
  test('by the key that opened it', async () => {
    const { open, sessions } = createHouse();
    const { session } = await open();
    expect(sessions.require(laptop, 'default', session.id)).toBe(session);
  });

  test('by nobody else, in words that tell nothing', async () => {
    const { open, sessions } = createHouse();
    const { session } = await open();
    const { session: closed } = await open();
    sessions.close(closed, 'the client closed it');
    const words = [
      () => sessions.require(phone, 'default', session.id),
      () => sessions.require(stranger, 'default', session.id),
      () => sessions.require(laptop, 'other', session.id),
      () => sessions.require(laptop, 'default', closed.id),
      () => sessions.require(laptop, 'default', 'made up'),
      () => sessions.require(laptop, 'default', ''),
    ].map((ask) => {
      try {
        ask();
        return 'found';
      } catch (thrown) {
        return JSON.stringify(thrown) + String(thrown);
      }
    });
    expect(new Set(words).size).toBe(1);
    expect(words[0]).toContain('SESSION_NOT_FOUND');
  });
});

describe('closing', () => {
  test('hangs up, is announced with the reason, and happens once', async () => {
    const { open, sessions, events, hungUp } = createHouse();
    const { session } = await open();
    session.began(someCall());
    sessions.close(session, 'the client closed it');
    sessions.close(session, 'again');
    expect(hungUp).toEqual([{ caller: session, reason: 'the client closed it' }]);
    expect(events.slice(1)).toEqual([
      { type: 'session.closed', ...laptop, server: 'default', reason: 'the client closed it', calls: 1 },
    ]);
    expect(sessions.size).toBe(0);
  });

  test('of some waits for what they have begun, and leaves the others', async () => {
    const { open, sessions, isHere } = createHouse();
    const { session: idle } = await open(laptop);
    const { session: busy } = await open(phone);
    const { session: other } = await open(stranger);
    const call = someCall();
    busy.began(call);
    sessions.retireWhere(({ tenantId }) => tenantId === acme, 'its tenant is no more');
    expect([idle, busy, other].map(isHere)).toEqual([false, true, true]);
    expect(call.cancellation.reason).toBeUndefined();
    busy.ended(call);
    expect([busy, other].map(isHere)).toEqual([false, true]);
  });
});

describe('with time', () => {
  test('a session nobody uses ends', async () => {
    const { open, clock, sessions, events } = createHouse();
    await open();
    clock.advance(bounds.idle);
    sessions.sweep();
    expect(sessions.size).toBe(1);
    clock.advance(1);
    sessions.sweep();
    expect(sessions.size).toBe(0);
    expect(events.at(-1)).toMatchObject({ type: 'session.closed', reason: 'it was idle' });
  });

  test('use keeps it', async () => {
    const { open, clock, sessions, isHere } = createHouse();
    const { session } = await open();
    for (let time = 0; time < 3; time++) {
      clock.advance(bounds.idle);
      expect(isHere(session)).toBe(true);
      sessions.sweep();
    }
    expect(sessions.size).toBe(1);
  });

  test('a call in flight keeps it, and so does somebody who listens', async () => {
    const { open, clock, sessions } = createHouse();
    const { session: busy } = await open();
    const { session: heard } = await open();
    busy.began(someCall());
    heard.listen(createStream());
    clock.advance(bounds.idle * 2);
    sessions.sweep();
    expect(sessions.size).toBe(2);
  });

  test('but nothing keeps what is too old', async () => {
    const { open, clock, sessions, isHere, events } = createHouse();
    const { session } = await open();
    session.began(someCall());
    session.listen(createStream());
    clock.advance(bounds.maxAge);
    sessions.sweep();
    expect(isHere(session)).toBe(true);
    clock.advance(1);
    sessions.sweep();
    expect(isHere(session)).toBe(false);
    expect(events.at(-1)).toMatchObject({ reason: 'it was old' });
  });
});

describe('when all places are taken', () => {
  test('the tenant’s session unused longest makes room, another tenant’s never', async () => {
    const { open, clock, isHere, events } = createHouse();
    const { session: foreign } = await open(stranger);
    const own: Session[] = [];
    for (let count = 0; count < bounds.maxPerTenant; count++) {
      clock.advance(1);
      own.push((await open(count % 2 === 0 ? laptop : phone)).session);
    }
    clock.advance(1);
    // Now the second is the one unused longest.
    isHere(own[0]!);
    clock.advance(1);
    const { session: newest } = await open();
    expect([foreign, own[0]!, own[1]!, newest].map(isHere)).toEqual([true, true, false, true]);
    expect(events.find(({ type }) => type === 'session.closed')).toMatchObject({
      reason: 'its place was needed',
    });
  });

  test('one that somebody listens on stays, unless all are listened to', async () => {
    const { open, clock, isHere } = createHouse();
    const { session: heard } = await open();
    heard.listen(createStream());
    clock.advance(1);
    const { session: abandoned } = await open();
    clock.advance(1);
    const { session: next } = await open();
    expect([heard, abandoned, next].map(isHere)).toEqual([true, false, true]);
    next.listen(createStream());
    clock.advance(1);
    const { session: newest } = await open();
    expect([heard, next, newest].map(isHere)).toEqual([false, true, true]);
  });

  test('and all of the tenant’s are in use, it is the tenant that is busy', async () => {
    const { open, sessions } = createHouse();
    for (let count = 0; count < bounds.maxPerTenant; count++) (await open()).session.began(someCall());
    await expect(open()).rejects.toMatchObject({ code: 'TENANT_BUSY', executed: 'no' });
    expect(sessions.size).toBe(bounds.maxPerTenant);
    // Others have their own places.
    await open(stranger);
  });

  test('and all of the proxy’s are in use, it is the proxy that has no room', async () => {
    const { open, sessions } = createHouse({ max: 2, maxPerTenant: 2 });
    for (const owner of [laptop, stranger]) (await open(owner)).session.began(someCall());
    await expect(open()).rejects.toMatchObject({ code: 'OVERLOADED', executed: 'no' });
    expect(sessions.size).toBe(2);
  });

  test('a closed session gives its place back', async () => {
    const { open, sessions } = createHouse();
    for (let time = 0; time < bounds.maxPerTenant * 3; time++) {
      const { session } = await open();
      session.began(someCall());
      sessions.close(session, 'the client closed it');
    }
    expect(sessions.size).toBe(0);
  });
});

test('sessions are counted per server', async () => {
  const { open, sessions } = createHouse();
  await open(laptop, 'search');
  await open(phone, 'search');
  await open(stranger, 'search');
  expect(Object.fromEntries(sessions.countByServer())).toEqual({ 'acme/search': 2, 'globex/search': 1 });
});
