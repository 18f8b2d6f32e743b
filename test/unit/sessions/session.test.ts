import { describe, expect, test } from 'vitest';
import type { Call } from '../../../src/calls/call.ts';
import type { SessionId } from '../../../src/calls/ids.ts';
import { type Message, readMessage } from '../../../src/mcp/message.ts';
import { introduction } from '../../../src/sessions/introduction.ts';
import { Session } from '../../../src/sessions/session.ts';
import { acme, messageOf, someCall } from '../calls/some-call.ts';
import { someBudget } from './some-budget.ts';
import { createStream } from './some-stream.ts';

/** Messages kept for a client that is away. */
const mostKept = 64;
/** Questions of servers that a client may leave unanswered. */
const mostAsked = 64;

function createSession() {
  const session = new Session('id' as SessionId, { tenantId: acme, keyName: 'laptop' }, 'default', {
    now: () => 0,
    capabilities: {},
    protocolVersion: '2025-11-25',
    replayBudget: someBudget(),
  });
  const sent: Message[] = [];
  const hungUp: string[] = [];
  session.line = {
    exchange: () => expect.unreachable('the session itself asks nothing'),
    send: (notification) => sent.push(notification),
    hangUp: (reason) => hungUp.push(reason),
  };
  return { session, sent, hungUp };
}

const read = (text: string) => readMessage(Buffer.from(text));
const withId = (id: string, method = 'tools/call') =>
  someCall({ message: read(`{"jsonrpc":"2.0","id":${id},"method":"${method}"}`) });
const news = (text: string) => messageOf({ method: 'notifications/message', params: { data: text } });
const cancel = (session: Session, id: string) =>
  session.accept(read(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`));
const isCancelled = ({ cancellation }: Call) => cancellation.reason?.code === 'CANCELLED';

test('a session that never came to its line is none', () => {
  const session = new Session('id' as SessionId, { tenantId: acme, keyName: 'laptop' }, 'default', {
    now: () => 0,
    capabilities: {},
    protocolVersion: '2025-11-25',
    replayBudget: someBudget(),
  });
  expect(() => session.line).toThrow(expect.objectContaining({ code: 'SESSION_NOT_FOUND' }) as Error);
  session.accept(news('x'));
  session.close('it never began');
});

describe('cancelling', () => {
  test('stops the call the client means, and is not passed on', () => {
    const { session, sent } = createSession();
    const [one, two] = [withId('1'), withId('2')];
    for (const call of [one, two]) session.began(call);
    cancel(session, '2');
    expect([one, two].map(isCancelled)).toEqual([false, true]);
    expect(sent).toEqual([]);
  });

  test.each([
    ['1', '"1"'],
    ['"1"', '1'],
    ['12345678901234567890', '12345678901234567891'],
  ])('of %s is not cancelling of %s', (id, other) => {
    const { session } = createSession();
    const call = withId(id);
    session.began(call);
    cancel(session, other);
    expect(isCancelled(call)).toBe(false);
    cancel(session, id);
    expect(isCancelled(call)).toBe(true);
  });

  test('an id in use twice could mean either, so neither is stopped; once one has ended it is clear', () => {
    const { session } = createSession();
    const [one, two] = [withId('1'), withId('1')];
    for (const call of [one, two]) session.began(call);
    cancel(session, '1');
    expect([one, two].map(isCancelled)).toEqual([false, false]);
    session.ended(one);
    cancel(session, '1');
    expect([one, two].map(isCancelled)).toEqual([false, true]);
  });

  test('what has ended, never was, or is not named, is no offence', () => {
    const { session } = createSession();
    const call = withId('1');
    session.began(call);
    session.ended(call);
    cancel(session, '1');
    cancel(session, '99');
    session.accept(messageOf({ method: 'notifications/cancelled' }));
    expect(isCancelled(call)).toBe(false);
  });

  test('initialize cannot be cancelled', () => {
    const { session } = createSession();
    const call = withId('1', 'initialize');
    session.began(call);
    cancel(session, '1');
    expect(isCancelled(call)).toBe(false);
  });
});

describe('calls', () => {
  test('are counted, those that run and those that ever were', () => {
    const { session } = createSession();
    const calls = [withId('1'), withId('2')];
    for (const call of calls) session.began(call);
    expect(session).toMatchObject({ inFlight: 2, calls: 2 });
    for (const call of calls) session.ended(call);
    expect(session).toMatchObject({ inFlight: 0, calls: 2 });
  });

  test('of the same id do not end each other', () => {
    const { session } = createSession();
    const [one, two] = [withId('1'), withId('1')];
    for (const call of [one, two]) session.began(call);
    session.ended(two);
    expect(session.inFlight).toBeGreaterThan(0);
    session.ended(one);
    expect(session.inFlight).toBe(0);
  });

  test('that have begun are finished before the session ends', () => {
    const { session } = createSession();
    let ended = 0;
    const calls = [withId('1'), withId('2')];
    for (const call of calls) session.began(call);
    session.whenIdle(() => ended++);
    session.ended(calls[0]!);
    expect(ended).toBe(0);
    session.ended(calls[1]!);
    expect(ended).toBe(1);
  });

  test('are all that a session hears of whose key was revoked meanwhile', () => {
    const { session } = createSession();
    const stream = createStream();
    const heard: string[] = [];
    const call = someCall({ tell: (message) => heard.push(Buffer.concat(message).toString()) > 0 });
    session.listen(stream);
    session.began(call);
    session.whenIdle(() => undefined);
    session.hear(news('about all'), undefined);
    session.hear(news('about it'), call);
    expect([stream.heard, heard]).toEqual([[], [news('about it').bytes.toString()]]);
  });

  test('if there are none, nothing is waited for', () => {
    const { session } = createSession();
    let ended = 0;
    session.whenIdle(() => ended++);
    expect(ended).toBe(1);
  });
});

describe('what the server says', () => {
  test('about a call goes where that call is answered', () => {
    const { session } = createSession();
    const stream = createStream();
    session.listen(stream);
    const told: string[] = [];
    const call = someCall({ tell: (message) => told.push(Buffer.concat(message).toString()) > 0 });
    session.hear(news('about it'), call);
    expect(told).toEqual([news('about it').bytes.toString()]);
    expect(stream.heard).toEqual([]);
  });

  test('about no call goes to the newest stream, and to one only', () => {
    const { session } = createSession();
    const [older, newer] = [createStream(), createStream()];
    session.listen(older);
    session.listen(newer);
    session.hear(news('a'), undefined);
    session.unlisten(newer);
    session.hear(news('b'), undefined);
    expect(newer.heard).toEqual([news('a').bytes.toString()]);
    expect(older.heard).toEqual([news('b').bytes.toString()]);
  });

  test('while nobody listens is kept, in order, and said once', () => {
    const { session } = createSession();
    for (const text of ['a', 'b']) session.hear(news(text), undefined);
    const [stream, another] = [createStream(), createStream()];
    session.listen(stream);
    session.listen(another);
    expect(stream.heard).toEqual(['a', 'b'].map((text) => news(text).bytes.toString()));
    expect(another.heard).toEqual([]);
  });

  test('twice while nobody listens is kept once', () => {
    const { session } = createSession();
    const changed = messageOf({ method: 'notifications/tools/list_changed' });
    for (let time = 0; time < 3; time++) session.hear(changed, undefined);
    const stream = createStream();
    session.listen(stream);
    expect(stream.heard).toHaveLength(1);
  });

  test('twice while somebody listens is said twice', () => {
    const { session } = createSession();
    const stream = createStream();
    session.listen(stream);
    for (let time = 0; time < 2; time++) session.hear(news('a'), undefined);
    expect(stream.heard).toHaveLength(2);
  });

  test('is not kept without bound: the oldest goes', () => {
    const { session } = createSession();
    for (let at = 0; at <= mostKept; at++) session.hear(news(String(at)), undefined);
    const stream = createStream();
    session.listen(stream);
    expect(stream.heard).toHaveLength(mostKept);
    expect(stream.heard[0]).toBe(news('1').bytes.toString());
  });

  test('to a stream that takes no more is kept for the next', () => {
    const { session } = createSession();
    const full = createStream(0);
    session.listen(full);
    session.hear(news('a'), undefined);
    session.unlisten(full);
    const stream = createStream();
    session.listen(stream);
    expect(stream.heard).toEqual([news('a').bytes.toString()]);
  });

  test('is listened to only while a stream is open', () => {
    const { session } = createSession();
    const stream = createStream();
    expect(session.isListening).toBe(false);
    session.listen(stream);
    expect(session.isListening).toBe(true);
    session.unlisten(stream);
    session.unlisten(stream);
    expect(session.isListening).toBe(false);
  });
});

describe('a question of the server', () => {
  /** The client answers the question it heard last. */
  function answerLast(session: Session, heard: readonly string[]): void {
    const { id } = JSON.parse(heard.at(-1)!) as { id: number };
    session.accept(messageOf({ id, result: {} }));
  }

  test('is asked under an id of its own, and answered under the server’s, byte for byte', () => {
    const { session } = createSession();
    const stream = createStream();
    session.listen(stream);
    // Two processes, both of which number from 0.
    const ids = ['0', '0', '"0"', '12345678901234567890'];
    const answers: string[][] = ids.map(() => []);
    for (const [at, id] of ids.entries()) {
      session.ask(read(`{"jsonrpc":"2.0","id":${id},"method":"roots/list"}`), undefined, (response) =>
        answers[at]!.push(Buffer.concat(response).toString()),
      );
    }
    const asked = stream.heard.map((text) => (JSON.parse(text) as { id: number }).id);
    expect(new Set(asked).size).toBe(ids.length);
    for (const [at, id] of [...asked.entries()].reverse())
      session.accept(messageOf({ id, result: { answer: at } }));
    expect(answers).toEqual(ids.map((id, at) => [`{"jsonrpc":"2.0","id":${id},"result":{"answer":${at}}}`]));
  });

  test('about a call is asked where that call is answered', () => {
    const { session } = createSession();
    const told: string[] = [];
    const call = someCall({ tell: (message) => told.push(Buffer.concat(message).toString()) > 0 });
    let answers = 0;
    session.ask(messageOf({ id: 7, method: 'sampling/createMessage' }), call, () => answers++);
    answerLast(session, told);
    expect(answers).toBe(1);
  });

  test('is answered once, and nobody else is bothered by what else the client says', () => {
    const { session, sent } = createSession();
    const stream = createStream();
    session.listen(stream);
    let answers = 0;
    session.ask(messageOf({ id: 7, method: 'roots/list' }), undefined, () => answers++);
    session.accept(messageOf({ id: 'made up', result: {} }));
    session.accept(messageOf({ id: 99, result: {} }));
    expect(answers).toBe(0);
    answerLast(session, stream.heard);
    answerLast(session, stream.heard);
    expect(answers).toBe(1);
    expect(sent).toEqual([]);
  });

  test('of a call that is over makes room for a new one, and its server is told', () => {
    const { session } = createSession();
    const stream = createStream();
    session.listen(stream);
    const told: string[] = [];
    const call = someCall({});
    session.began(call);
    const ask = (id: number) =>
      session.ask(messageOf({ id, method: 'roots/list' }), call, (response) =>
        told.push(Buffer.concat(response).toString()),
      );
    for (let id = 0; id < mostAsked; id++) expect(ask(id)).toBeDefined();
    expect(ask(mostAsked)).toBeUndefined();
    session.ended(call);
    expect(ask(mostAsked + 1)).toBeDefined();
    expect(told.map((text) => JSON.parse(text) as object)).toMatchObject([{ id: 0, error: {} }]);
    expect(stream.heard.filter((text) => text.includes('notifications/cancelled'))).toHaveLength(1);
  });
});

test('what the client says that is neither cancellation nor answer goes to the server', () => {
  const { session, sent } = createSession();
  const changed = messageOf({ method: 'notifications/roots/list_changed' });
  session.accept(changed);
  expect(sent).toEqual([changed]);
});

test('when it closes, calls are cancelled, streams end, and the server is told why', () => {
  const { session, hungUp } = createSession();
  const calls = [withId('1'), withId('1'), withId('2')];
  for (const call of calls) session.began(call);
  const streams = [createStream(), createStream()];
  for (const stream of streams) session.listen(stream);
  session.close('it was idle');
  expect(calls.map(isCancelled)).toEqual([true, true, true]);
  expect(streams.map((stream) => stream.isClosed())).toEqual([true, true]);
  expect(session.isListening).toBe(false);
  expect(hungUp).toEqual(['it was idle']);
});

describe('the introduction of a client', () => {
  const introduce = (params: unknown) => introduction(messageOf({ id: 1, method: 'initialize', params }));

  test('says what it speaks, can do, and is called', () => {
    expect(
      introduce({
        protocolVersion: '2025-06-18',
        capabilities: { roots: {} },
        clientInfo: { name: 'claude-code', version: '2' },
      }),
    ).toEqual({ protocolVersion: '2025-06-18', capabilities: { roots: {} }, client: 'claude-code' });
  });

  test.each([
    undefined,
    {},
    [],
    { clientInfo: null, capabilities: 'all' },
    { clientInfo: { name: 7 } },
    { clientInfo: 'x' },
  ])('may leave out what it likes: %j', (params) => {
    expect(introduce(params)).toMatchObject({ capabilities: {}, client: 'unknown' });
  });

  test('a name is no novel', () => {
    expect(introduce({ clientInfo: { name: 'x'.repeat(1000) } }).client).toBe('x'.repeat(64));
  });
});
