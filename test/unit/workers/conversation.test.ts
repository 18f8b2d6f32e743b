import { describe, expect, test } from 'vitest';
import type { Call } from '../../../src/calls/call.ts';
import { ProxyError } from '../../../src/calls/error.ts';
import { textOf } from '../../../src/mcp/message.ts';
import type { AttachedLine } from '../../../src/workers/attached-line.ts';
import { Conversation, type OpenQuestion } from '../../../src/workers/conversation.ts';
import { modernKind, plainKind } from '../../../src/workers/kind.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { messageOf, someCall } from '../calls/some-call.ts';
import { createListener } from './some-talk.ts';

interface Sent {
  readonly id?: number;
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** A conversation with a worker whose mouth is this test's. */
function createTalk(kind = plainKind) {
  const clock = createFakeClock();
  const sent: Sent[] = [];
  const told: unknown[][] = [];
  const tell = (what: string) => (about: unknown) => void told.push([what, about]);
  const talk = new Conversation({
    kind,
    clock,
    lines: new Set(),
    send: (line) => void sent.push(JSON.parse(Buffer.concat(line).toString()) as Sent),
    listener: {
      request: tell('request'),
      notification: tell('notification'),
      finished: ({ requestId }) => void told.push(['finished', requestId, talk.inFlight]),
      timedOut: tell('timedOut'),
      violation: tell('violation'),
    },
  });
  const { line } = createListener();
  return {
    clock,
    sent,
    told,
    talk,
    line,
    say: (message: object) => talk.receive(Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }))),
    /** Put a call on the worker; how it ends, and its id there. */
    put: (own: Partial<Call> = {}, of: AttachedLine = line, isAside?: true) => {
      const call = someCall({ startedAt: clock.now(), ...own });
      const ending = talk.exchange(
        { call, line: of, edits: [], ...(isAside && { isAside }) },
        ({ bytes, result }, idText) => [idText, result && textOf(bytes, result)],
      );
      ending.catch(() => undefined);
      return { call, ending, id: sent.at(-1)?.id };
    },
  };
}

const gaveUp = new ProxyError('CANCELLED', 'gone');
const timedOut = new ProxyError('TIMED_OUT', 'late');
const methodsOf = (sent: readonly Sent[]) => sent.map(({ method }) => method);

describe('a call', () => {
  test('gets its answer with its own id, and is over only then', async () => {
    const { talk, put, say, told } = createTalk();
    const { ending, id } = put({ message: messageOf({ id: 'mine', method: 'tools/call' }) });
    expect([talk.hasAnswered, talk.inFlight, told]).toEqual([false, 1, []]);
    say({ id, result: { a: 1 } });
    expect(await ending).toEqual(['"mine"', '{"a":1}']);
    expect([talk.hasAnswered, told]).toEqual([true, [['finished', 'r1', 0]]]);
  });

  test('goes to a modern worker after what its client wants to hear of', async () => {
    const { talk, put, sent } = createTalk(modernKind);
    talk.subscribe('file:///a');
    put();
    await Promise.resolve();
    expect(methodsOf(sent)).toEqual(['subscriptions/listen', 'tools/call']);
  });

  test('whose answer cannot be read is rejected with that, and the next line is read', async () => {
    const { talk, line, say, put, sent } = createTalk();
    const broken = talk.exchange({ call: someCall(), line, edits: [] }, () => {
      throw new TypeError('not so');
    });
    const next = put();
    expect(() => say({ id: sent[0]?.id, result: {} })).not.toThrow();
    await expect(broken).rejects.toThrow('not so');
    say({ id: next.id, result: {} });
    expect(await next.ending).toEqual(['1', '{}']);
  });

  test('hears of its progress, which is a sign of life', () => {
    const { clock, put, say } = createTalk();
    const heard: string[] = [];
    const message = messageOf({ id: 1, method: 'tools/call', params: { _meta: { progressToken: 'p' } } });
    const tell = (line: readonly Buffer[]) => heard.push(Buffer.concat(line).toString()) > 0;
    const { call, id } = put({ message, tell });
    clock.advance(500);
    say({ method: 'notifications/progress', params: { progressToken: id, progress: 1 } });
    expect(heard).toEqual([expect.stringContaining('"progressToken":"p"')]);
    expect(call.heardAt).toBe(clock.now());
  });

  test('that ends with the worker is told so, and counted', async () => {
    const { talk, put, told } = createTalk();
    const { ending } = put();
    void talk.inquire('ping', {});
    expect(talk.failAll(new Error('it died'))).toBe(1);
    await expect(ending).rejects.toThrow('it died');
    expect(told).toEqual([['finished', 'r1', 0]]);
  });

  test('that is given up is called off, and a late answer means nobody', async () => {
    const { put, say, sent, told, talk } = createTalk();
    const { call, ending, id } = put();
    call.cancellation.cancel(gaveUp);
    await expect(ending).rejects.toBe(gaveUp);
    expect(sent.at(-1)).toMatchObject({ method: 'notifications/cancelled', params: { requestId: id } });
    say({ id, result: {} });
    expect(told).toEqual([['finished', 'r1', 0]]);
    expect(talk.hasAnswered).toBe(false);
  });

  test('that was given up before it was put on the worker is called off there', async () => {
    const { put, told } = createTalk();
    const call = someCall();
    call.cancellation.cancel(gaveUp);
    await expect(put(call).ending).rejects.toBe(gaveUp);
    expect(told).toEqual([['finished', 'r1', 0]]);
  });

  test('that got no answer in time says since when it waited', () => {
    const { clock, put, told } = createTalk();
    const putAt = clock.now();
    const { call } = put();
    clock.advance(1000);
    call.cancellation.cancel(timedOut);
    expect(told).toEqual([
      ['finished', 'r1', 0],
      ['timedOut', putAt],
    ]);
  });

  test('is known with its session while it is in flight', () => {
    const { talk, line, put, say } = createTalk();
    const other = createListener().line;
    const [a, b, aside] = [put(), put({}, other), put({}, other, true)];
    expect(talk.calls).toEqual([a.call, b.call, aside.call]);
    expect([talk.callsOf(line), talk.callsOf(other)]).toEqual([[a.call], [b.call, aside.call]]);
    expect([talk.inFlight, talk.occupied, talk.soleCall]).toEqual([3, 2, undefined]);
    say({ id: a.id, result: {} });
    expect(talk.soleCall?.call).toBe(b.call);
    say({ id: b.id, result: {} });
    say({ id: aside.id, result: {} });
    void talk.inquire('ping', {});
    expect([talk.calls, talk.soleCall]).toEqual([[], undefined]);
  });
});

describe('what the server says after calls were given up', () => {
  const deadline = { call: 1000, max: 5000 };

  test('may mean another key’s for as long as they could have taken', () => {
    const { talk, clock, put } = createTalk();
    const longer = put({ keyName: 'ada', deadline });
    clock.advance(1000);
    const { call } = put({ keyName: 'ada', deadline: { call: 1000, max: 2000 } });
    for (const each of [longer.call, call]) each.cancellation.cancel(gaveUp);
    expect(talk.unansweredOf).toBe('ada');
    expect(talk.mayMeanOther('ada')).toBe(false);
    clock.advance(3999);
    expect(talk.mayMeanOther('bob')).toBe(true);
    clock.advance(1);
    expect(talk.mayMeanOther('bob')).toBe(false);
  });

  test('may mean any key’s if they were of several, until all are answered', () => {
    const { talk, put, say } = createTalk();
    const both = [put({ keyName: 'ada', deadline }), put({ keyName: 'bob', deadline })] as const;
    for (const { call } of both) call.cancellation.cancel(gaveUp);
    for (const key of ['ada', 'bob', 'eve']) expect(talk.mayMeanOther(key)).toBe(true);
    say({ id: both[0].id, result: {} });
    expect([talk.unansweredOf, talk.mayMeanOther('ada')]).toEqual(['', true]);
    say({ id: both[1].id, result: {} });
    expect([talk.unansweredOf, talk.mayMeanOther('ada')]).toEqual([undefined, false]);
  });

  test('means no other’s where none was given up, or only what was about a task', () => {
    const { talk, line, put } = createTalk();
    expect(talk.mayMeanOther('ada')).toBe(false);
    put({ keyName: 'ada', deadline }, line, true).call.cancellation.cancel(gaveUp);
    expect([talk.unansweredOf, talk.mayMeanOther('bob')]).toEqual([undefined, false]);
  });
});

describe('the progress of a task', () => {
  const message = messageOf({ id: 1, method: 'tools/call', params: { _meta: { progressToken: 'p' } } });
  const progressOf = (progressToken: unknown) => ({
    method: 'notifications/progress',
    params: { progressToken, progress: 1 },
  });

  test('goes on after its call was answered, to its session, until that is over', () => {
    const { put, say } = createTalk();
    const heard: string[] = [];
    const { line } = createListener({ hear: ({ bytes }) => heard.push(bytes.toString()) });
    const { id } = put({ message }, line);
    say({ id, result: { task: { taskId: 't1' } } });
    say(progressOf(id));
    expect(heard).toEqual([JSON.stringify({ jsonrpc: '2.0', ...progressOf('p') })]);
    Object.assign(line, { isGone: true });
    say(progressOf(id));
    expect(heard).toHaveLength(1);
  });

  test('is nobody’s where there was no task, or no token', () => {
    const { put, say } = createTalk();
    const { line, heard } = createListener();
    const [plain, silent] = [put({ message }, line), put({}, line)];
    say({ id: plain.id, result: {} });
    say({ id: silent.id, result: { task: { taskId: 't1' } } });
    for (const { id } of [plain, silent]) say(progressOf(id));
    expect(heard).toEqual([]);
  });
});

test('pages that an error sends a client to are remembered for it, and no others', () => {
  const { talk, line, put, say } = createTalk();
  const answer = (code: number, data: unknown) => say({ id: put().id, error: { code, message: 'x', data } });
  answer(-32042, { elicitations: [{ elicitationId: 'e1' }, { elicitationId: 2 }, null] });
  answer(-32043, { elicitations: [{ elicitationId: 'e2' }] });
  for (const data of [undefined, null, {}, { elicitations: 'e3' }]) answer(-32042, data);
  expect([...talk.elicitations]).toEqual([['e1', line]]);
});

test('of calls the only one counts whose client is not being asked', () => {
  const { talk, line, put } = createTalk();
  const [a, b] = [put(), put()];
  expect(talk.soleUnasked).toBeUndefined();
  const question: OpenQuestion = { call: a.call, line, tokenText: '"t"', withdraw: () => undefined };
  talk.questions.set('1', question);
  expect(talk.soleUnasked?.call).toBe(b.call);
  const other = createListener().line;
  talk.questions.set('2', { ...question, call: undefined, line: other });
  talk.questions.set('3', { ...question, tokenText: '"v"' });
  expect(talk.hearsOfProgress(line, '"t"')).toBe(true);
  expect(talk.hearsOfProgress(line, '"u"')).toBe(false);
  expect(talk.hearsOfProgress(other, '"v"')).toBe(false);
});

test('what the server says of itself goes on to whoever routes it', () => {
  const { say, told } = createTalk();
  say({ method: 'notifications/x' });
  say({ id: 'q', method: 'sampling/createMessage' });
  expect(told).toEqual([
    ['notification', expect.objectContaining({ method: 'notifications/x' })],
    ['request', expect.objectContaining({ method: 'sampling/createMessage' })],
  ]);
});

describe('what the proxy asks on its own account', () => {
  test('is answered, and called off no more', async () => {
    const { talk, clock, say, sent } = createTalk();
    const asked = talk.inquire('tasks/list', { cursor: 'c' }, 1000);
    expect(sent).toMatchObject([{ method: 'tasks/list', params: { cursor: 'c' } }]);
    expect(talk.inFlight).toBe(0);
    say({ id: sent[0]?.id, result: { tasks: [] } });
    expect((await asked)?.result).toBeDefined();
    clock.advance(1000);
    expect(sent).toHaveLength(1);
  });

  test('is called off when it takes too long, and no answer where the worker is gone', async () => {
    const { talk, clock, sent } = createTalk();
    const [hurried, patient] = [talk.inquire('tasks/list', {}, 1000), talk.inquire('tasks/list', {})];
    clock.advance(999);
    expect(sent).toHaveLength(2);
    clock.advance(1);
    expect(await hurried).toBeUndefined();
    expect(sent[2]).toMatchObject({ method: 'notifications/cancelled', params: { requestId: sent[0]?.id } });
    talk.failAll(new Error('it died'));
    expect(await patient).toBeUndefined();
  });

  test('is in the words of the worker’s era', async () => {
    const [legacy, modern] = [createTalk(), createTalk(modernKind)];
    for (const { talk } of [legacy, modern]) {
      talk.ping();
      talk.subscribe('file:///a');
      talk.unsubscribe('file:///a');
    }
    await Promise.resolve();
    expect(legacy.sent).toMatchObject([
      { method: 'ping' },
      { method: 'resources/subscribe', params: { uri: 'file:///a' } },
      { method: 'resources/unsubscribe', params: { uri: 'file:///a' } },
    ]);
    expect(methodsOf(modern.sent)).toEqual(['server/discover', 'subscriptions/listen']);
    void modern.talk.inquire('tools/list', {});
    expect(modern.sent[2]?.params).toHaveProperty('_meta');
    expect([legacy.talk.logs, modern.talk.logs]).toEqual([expect.anything(), undefined]);
  });
});
