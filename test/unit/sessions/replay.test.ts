import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ProxyError } from '../../../src/calls/error.ts';
import { Replay } from '../../../src/sessions/replay.ts';
import type { ReplayBounds } from '../../../src/sessions/replay-budget.ts';
import type { SessionStream } from '../../../src/sessions/resumable-stream.ts';
import { acme } from '../calls/some-call.ts';
import { someBounds, someBudget } from './some-budget.ts';

function createReplay(own: Partial<ReplayBounds> = {}) {
  const clock = { now: 0 };
  const budget = someBudget(own, () => clock.now);
  return { clock, budget, replay: new Replay(acme, budget) };
}

/** A connection that takes `room` messages, and remembers them with their ids. */
function createConnection(room = Number.POSITIVE_INFINITY) {
  const heard: { text: string; id: string | undefined }[] = [];
  const connection: SessionStream & { isClosed: boolean } = {
    isClosed: false,
    write(message, id) {
      if (connection.isClosed || heard.length >= room) return false;
      heard.push({ text: Buffer.concat(message).toString(), id });
      return true;
    },
    close() {
      connection.isClosed = true;
    },
  };
  return { connection, heard };
}

const say = (text: string) => [Buffer.from(text)];
const missedTexts = (replay: Replay, id: string) =>
  replay.missedSince(id)?.messages.map(({ text }) => Buffer.from(text, 'latin1').toString());
const refused = expect.objectContaining({ code: 'INVALID_REQUEST' }) as ProxyError;

describe('what was said', () => {
  test('after an event can be told again, byte for byte and in order', () => {
    const { replay } = createReplay();
    const { connection, heard } = createConnection();
    const stream = replay.open('reply', connection);
    const texts = ['"é"', '"2"', '"\\u0000 1e400 🙂"'];
    const start = stream.eventId;
    for (const text of texts) stream.write(say(text));
    expect(heard.map(({ text }) => text)).toEqual(texts);
    expect(missedTexts(replay, start)).toEqual(texts);
    expect(missedTexts(replay, heard[0]!.id!)).toEqual(texts.slice(1));
    expect(missedTexts(replay, heard[2]!.id!)).toEqual([]);
  });

  test('in several pieces is told again as one, and nothing is missing', () => {
    const { replay } = createReplay();
    const stream = replay.open('listening', createConnection().connection);
    const start = stream.eventId;
    stream.write(['{"a":', '"é"', '}'].map((piece) => Buffer.from(piece)));
    expect(missedTexts(replay, start)).toEqual(['{"a":"é"}']);
    expect(replay.missedSince(start)).toMatchObject({ hasGap: false });
  });

  test('on one stream is not told on another', () => {
    const { replay } = createReplay();
    const [a, b] = [
      replay.open('listening', createConnection().connection),
      replay.open('reply', createConnection().connection),
    ];
    const [startOfA, startOfB] = [a.eventId, b.eventId];
    a.write(say('a'));
    b.write(say('b'));
    expect([missedTexts(replay, startOfA), missedTexts(replay, startOfB)]).toEqual([['a'], ['b']]);
  });

  test('to nobody on a reply is kept for the client that comes again; on a listening stream it is not said', () => {
    const { replay } = createReplay();
    const { connection } = createConnection();
    for (const kind of ['reply', 'listening'] as const) {
      const stream = replay.open(kind, connection);
      stream.write(say('heard'));
      const { eventId } = stream;
      expect(stream.disconnected(connection)).toBe(true);
      expect(stream.write(say('missed'))).toBe(kind === 'reply');
      expect(missedTexts(replay, eventId)).toEqual(kind === 'reply' ? ['missed'] : []);
    }
  });

  test('any client that comes again and again hears everything once, wherever it was cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 3 }), { maxLength: 12 }), (rooms) => {
        const { replay } = createReplay({ events: 100 });
        let { connection, heard } = createConnection();
        const stream = replay.open('reply', connection);
        const all: string[] = [];
        let lastId = stream.eventId;
        for (const [round, room] of rooms.entries()) {
          stream.write(say(`${round}`));
          all.push(...heard.map(({ text }) => text));
          lastId = heard.at(-1)?.id ?? lastId;
          ({ connection, heard } = createConnection(room));
          stream.resume(connection, replay.missedSince(lastId)?.messages ?? []);
        }
        all.push(...heard.map(({ text }) => text));
        lastId = heard.at(-1)?.id ?? lastId;
        all.push(...(missedTexts(replay, lastId) ?? []));
        expect(all).toEqual(rooms.map((_room, round) => `${round}`));
      }),
    );
  });
});

describe('an id', () => {
  test('of another session, made up, or of what was never said is not known', () => {
    const { replay, budget } = createReplay();
    const other = new Replay(acme, budget);
    const stream = replay.open('reply', createConnection().connection);
    stream.write(say('1'));
    other.open('reply', createConnection().connection).write(say('secret'));
    const later = stream.eventId.replace(/-1$/, '-2');
    for (const id of ['', 'x', '1', stream.eventId.slice(1), later, `${stream.eventId}x`]) {
      expect(() => replay.missedSince(id)).toThrow(refused);
    }
    for (const id of [stream.eventId, stream.eventId.replace(/-1$/, '-0')])
      expect(() => other.missedSince(id)).toThrow(refused);
  });

  test('cannot be worked out from another session’s', () => {
    const { replay, budget } = createReplay();
    const words = [replay, new Replay(acme, budget)].map((each) =>
      each.open('reply', createConnection().connection).eventId.slice(0, 16),
    );
    expect(words[0]).not.toBe(words[1]);
  });
});

describe('a client that comes again', () => {
  test('takes the stream over; the connection before is closed and its end means nothing', () => {
    const { replay } = createReplay();
    const [old, fresh] = [createConnection(), createConnection()];
    const stream = replay.open('listening', old.connection);
    stream.resume(fresh.connection, []);
    expect(old.connection.isClosed).toBe(true);
    expect(stream.disconnected(old.connection)).toBe(false);
    stream.write(say('news'));
    expect([old.heard.length, fresh.heard.length]).toEqual([0, 1]);
  });

  test('after the answer gets it, and the end', () => {
    const { replay } = createReplay();
    const { connection } = createConnection();
    const stream = replay.open('reply', connection);
    const start = stream.eventId;
    stream.disconnected(connection);
    stream.write(say('answer'));
    stream.close();
    const again = createConnection();
    const missed = replay.missedSince(start)!;
    missed.stream.resume(again.connection, missed.messages);
    expect(again.heard.map(({ text }) => text)).toEqual(['answer']);
    expect(again.connection.isClosed).toBe(true);
    expect(replay.missedSince(again.heard[0]!.id!)).toMatchObject({
      messages: [],
      stream: { isEnded: true },
    });
  });
});

describe('a stream of which nothing is kept any more', () => {
  function forgetful() {
    const { replay, budget, clock } = createReplay();
    const forget = () => {
      clock.now += someBounds.keep + 1;
      budget.sweep();
    };
    return { replay, forget };
  }

  test('is known as long as a client listens to it, also one that came again', () => {
    const { replay, forget } = forgetful();
    const { connection } = createConnection();
    const stream = replay.open('listening', connection);
    stream.write(say('1'));
    stream.disconnected(connection);
    stream.resume(createConnection().connection, []);
    forget();
    expect(replay.missedSince(stream.eventId)).toMatchObject({ stream: { name: stream.name }, messages: [] });
  });

  test('is not known once it is over: a long session does not remember all it was ever asked', () => {
    const { replay, forget } = forgetful();
    const { connection } = createConnection();
    const stream = replay.open('reply', connection);
    stream.write(say('answer'));
    stream.close();
    expect(stream.disconnected(connection)).toBe(false);
    forget();
    expect(() => replay.missedSince(stream.eventId)).toThrow(refused);
  });
});

describe('what is kept is bounded', () => {
  test.each([
    ['in messages', { events: 3 }],
    ['in bytes', { perSession: 3 * 170 }],
    ['in bytes, of which none may be left over', { perSession: 3 * 161 }],
    ['in bytes of the tenant, of which none may be left over', { total: 4 * 3 * 161 }],
    ['in bytes of the tenant, which may have a quarter', { total: 4 * 3 * 170 }],
  ])('%s: the oldest goes, and a reply that has a gap cannot be told again', (_what, own) => {
    const { replay } = createReplay(own);
    const { connection, heard } = createConnection();
    const stream = replay.open('reply', connection);
    for (const text of ['1', '2', '3', '4', '5']) stream.write(say(text));
    expect(() => replay.missedSince(heard[0]!.id!)).toThrow(refused);
    expect(missedTexts(replay, heard[1]!.id!)).toEqual(['3', '4', '5']);
  });

  test('in time', () => {
    const { replay, budget, clock } = createReplay();
    const { connection, heard } = createConnection();
    const stream = replay.open('reply', connection);
    stream.write(say('old'));
    clock.now = someBounds.keep;
    stream.write(say('young'));
    clock.now++;
    budget.sweep();
    expect(missedTexts(replay, heard[0]!.id!)).toEqual(['young']);
    clock.now += someBounds.keep;
    budget.sweep();
    expect(replay.bytes).toBe(0);
    expect(missedTexts(replay, heard[1]!.id!)).toEqual([]);
  });

  test('one message larger than all may be is a gap', () => {
    const { replay } = createReplay();
    const stream = replay.open('reply', createConnection().connection);
    const start = stream.eventId;
    stream.write(say('x'.repeat(someBounds.perSession)));
    const { eventId } = stream;
    stream.write(say('2'));
    expect(() => replay.missedSince(start)).toThrow(refused);
    expect(missedTexts(replay, eventId)).toEqual(['2']);
  });

  test('one message as large as all may be is kept', () => {
    const { replay } = createReplay({ perSession: 161 });
    const stream = replay.open('reply', createConnection().connection);
    const start = stream.eventId;
    stream.write(say('1'));
    expect(missedTexts(replay, start)).toEqual(['1']);
  });

  test('and what was said before that message is kept', () => {
    const { replay } = createReplay();
    const stream = replay.open('listening', createConnection().connection);
    const start = stream.eventId;
    for (const text of ['1', 'x'.repeat(someBounds.perSession), '2']) stream.write(say(text));
    expect(missedTexts(replay, start)).toEqual(['1', '2']);
    expect(replay.missedSince(start)).toMatchObject({ hasGap: true });
  });

  test('of several sessions of one tenant each in turn forgets what is oldest', () => {
    const { budget } = createReplay({ total: 4 * 4 * 161 });
    const sessions = [new Replay(acme, budget), new Replay(acme, budget)];
    const [one, two] = sessions.map((each) => each.open('reply', createConnection().connection));
    for (const text of ['1', '2', '3', '4']) one!.write(say(text));
    for (const text of ['5', '6']) two!.write(say(text));
    expect(sessions.map(({ bytes }) => bytes)).toEqual([3 * 161, 161]);
  });

  test('a listening stream with a gap goes on all the same, and says that it has one', () => {
    const { replay } = createReplay({ events: 1 });
    const stream = replay.open('listening', createConnection().connection);
    const start = stream.eventId;
    for (const text of ['1', '2']) stream.write(say(text));
    expect(replay.missedSince(start)).toMatchObject({ hasGap: true, messages: [{ text: '2' }] });
  });

  test('a listening stream of which nothing is left is no reason to stay deaf', () => {
    const { replay, budget, clock } = createReplay();
    const { connection } = createConnection();
    const stream = replay.open('listening', connection);
    stream.write(say('1'));
    stream.disconnected(connection);
    clock.now = someBounds.keep + 1;
    budget.sweep();
    expect(replay.missedSince(stream.eventId)).toBeUndefined();
  });

  test('one session’s traffic is not forgotten for another tenant’s', () => {
    const { budget } = createReplay({ total: 4 * 3 * 170 });
    const [mine, theirs] = [acme, 'globex' as typeof acme].map((tenant) => new Replay(tenant, budget));
    const stream = mine!.open('reply', createConnection().connection);
    const start = stream.eventId;
    stream.write(say('mine'));
    const noisy = theirs!.open('reply', createConnection().connection);
    for (let said = 0; said < 100; said++) noisy.write(say('noise'));
    expect(missedTexts(mine!, start)).toEqual(['mine']);
    expect(theirs!.bytes).toBeLessThanOrEqual(3 * 170);
  });

  test('nothing is kept of a session that ended', () => {
    const { replay, budget } = createReplay();
    const stream = replay.open('reply', createConnection().connection);
    stream.write(say('1'));
    replay.clear();
    expect(replay.bytes).toBe(0);
    expect(() => replay.missedSince(stream.eventId)).toThrow(refused);
    budget.sweep();
  });
});
