import { describe, expect, test } from 'vitest';
import { MalformedMessage, readMessage } from '../../../src/mcp/message.ts';
import { Multiplexer, type Waiter } from '../../../src/mcp/multiplexer.ts';

const ask = (meta = '') =>
  readMessage(Buffer.from(`{"jsonrpc":"2.0","id":"a","method":"m","params":{${meta}}}`));
const withToken = '"_meta":{"progressToken":"t"}';

/** A multiplexer whose worker says what it is told to say, and callers that keep what becomes of them. */
function createTalk() {
  const heard: unknown[] = [];
  const lines: string[] = [];
  const ends: string[] = [];
  const mux = new Multiplexer((line) => lines.push(Buffer.concat(line).toString()), {
    request: () => undefined,
    notification: ({ method }) => heard.push(method),
    answeredLate: () => heard.push('late'),
    strayProgress: ({ method }, innerId) => heard.push([method, innerId]),
    violation: (reason) => heard.push(reason),
  });
  const waiter = (name: string, own: Pick<Waiter, 'isBackground' | 'isAside'> = {}): Waiter => ({
    reply: () => ends.push(`${name} answered`),
    progress: () => undefined,
    fail: ({ message }) => ends.push(`${name} ${message}`),
    ...own,
  });
  return {
    mux,
    heard,
    lines,
    ends,
    waiter,
    background: (name: string) => waiter(name, { isBackground: true }),
    answer: (id: number) => mux.receive(Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":{}}`), 64),
    report: (token: number | string) =>
      mux.receive(
        Buffer.from(
          `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token}}}`,
        ),
        64,
      ),
  };
}

describe('what the proxy asks on its own account', () => {
  test('is no call: the worker is not busy with it, and it is not who waits', () => {
    const { mux, waiter, background } = createTalk();
    mux.request(ask(), background('ping'));
    expect([mux.inFlight, mux.sole, [...mux.waiters()]]).toEqual([0, undefined, []]);
    const call = waiter('call');
    mux.request(ask(), call);
    mux.request(ask(), background('another'));
    expect([mux.inFlight, mux.sole === call, [...mux.waiters()]]).toEqual([1, true, [call]]);
  });

  test('is answered like a call, and a call that waits meanwhile still does', () => {
    const { mux, waiter, background, answer, ends } = createTalk();
    const own = mux.request(ask(), background('ping'));
    const call = mux.request(ask(), waiter('call'));
    answer(own);
    expect([mux.inFlight, ends]).toEqual([1, ['ping answered']]);
    answer(call);
    expect([mux.inFlight, ends]).toEqual([0, ['ping answered', 'call answered']]);
  });

  test('can be given up, and leaves no trace in the count', () => {
    const { mux, waiter, background } = createTalk();
    mux.cancel(mux.request(ask(), background('ping')));
    mux.request(ask(), waiter('call'));
    expect([mux.inFlight, mux.abandoned]).toEqual([1, 1]);
  });

  test('fails with the worker, and is not counted among the calls that did', () => {
    const { mux, waiter, background, ends } = createTalk();
    mux.request(ask(), background('ping'));
    mux.request(ask(), waiter('call'));
    expect(mux.failAll(new Error('failed'))).toBe(1);
    expect(ends).toEqual(['ping failed', 'call failed']);
    mux.request(ask(), waiter('late'));
    expect([mux.inFlight, mux.failAll(new Error('failed'))]).toEqual([1, 1]);
  });
});

test('who waits is said only if it is exactly one', () => {
  const { mux, waiter, answer } = createTalk();
  const [one, two] = [waiter('one'), waiter('two')];
  const first = mux.request(ask(), one);
  mux.request(ask(), two);
  expect([mux.sole, [...mux.waiters()]]).toEqual([undefined, [one, two]]);
  answer(first);
  expect(mux.sole).toBe(two);
});

test('a late answer is told as such, once, and the call is no longer at work', () => {
  const { mux, waiter, answer, heard } = createTalk();
  const [one, two] = [mux.request(ask(), waiter('one')), mux.request(ask(), waiter('two'))];
  for (const id of [one, two]) mux.cancel(id);
  expect(mux.abandoned).toBe(2);
  answer(two);
  expect([mux.abandoned, heard]).toEqual([1, ['late']]);
  answer(two);
  expect([mux.abandoned, heard]).toEqual([1, ['late']]);
});

test('of calls given up ten thousand are remembered, the last ones', () => {
  const { mux, waiter, answer, heard } = createTalk();
  const [message, caller] = [ask(), waiter('call')];
  for (let id = 1; id <= 10_001; id++) mux.cancel(mux.request(message, caller));
  expect(mux.abandoned).toBe(10_000);
  for (const id of [1, 2, 10_001]) answer(id);
  expect(heard).toEqual(['late', 'late']);
});

test('progress of what does not wait is told with the number it names, or with none', () => {
  const { mux, waiter, answer, report, heard } = createTalk();
  const gone = mux.request(ask(withToken), waiter('gone'));
  const silent = mux.request(ask(), waiter('silent'));
  answer(gone);
  for (const token of [gone, silent, '"1"', 99]) report(token);
  const method = 'notifications/progress';
  expect(heard).toEqual([
    [method, gone],
    [method, Number.NaN],
    [method, 99],
  ]);
});

test('other edits go along with those of the id and the token', () => {
  const { mux, waiter, lines } = createTalk();
  const message = ask(`${withToken},"uri":"x"`);
  const id = mux.request(message, waiter('call'), [{ span: message.uri!, text: '"long"' }]);
  expect(lines).toEqual([
    `{"jsonrpc":"2.0","id":${id},"method":"m","params":{"_meta":{"progressToken":${id}},"uri":"long"}}\n`,
  ]);
});

test('a notification is no request', () => {
  const { mux, waiter, lines } = createTalk();
  const notification = readMessage(Buffer.from('{"jsonrpc":"2.0","method":"m"}'));
  expect(() => mux.request(notification, waiter('call'))).toThrow(TypeError);
  expect([lines, mux.inFlight]).toEqual([[], 0]);
});

test('a batch may hold a thousand messages, and not one more', () => {
  const { mux, heard } = createTalk();
  const batchOf = (size: number) =>
    Buffer.from(`[${Array(size).fill('{"jsonrpc":"2.0","method":"n"}').join()}]`);
  mux.receive(batchOf(1000), 64);
  expect(heard).toHaveLength(1000);
  expect(() => mux.receive(batchOf(1001), 64)).toThrow(MalformedMessage);
  expect(heard).toHaveLength(1000);
});

describe('what is about a task', () => {
  test('keeps the worker busy, takes up no room, and is not who waits while a call does', () => {
    const { mux, waiter, answer } = createTalk();
    const aside = waiter('result', { isAside: true });
    const first = mux.request(ask(), aside);
    expect([mux.inFlight, mux.occupied, mux.sole === aside]).toEqual([1, 0, true]);
    const call = waiter('call');
    const second = mux.request(ask(), call);
    expect([mux.inFlight, mux.occupied, mux.sole === call]).toEqual([2, 1, true]);
    const third = mux.request(ask(), waiter('other'));
    expect([mux.occupied, mux.sole]).toEqual([2, undefined]);
    answer(second);
    mux.cancel(third);
    const another = mux.request(ask(), waiter('another', { isAside: true }));
    expect([mux.inFlight, mux.occupied, mux.sole]).toEqual([2, 0, undefined]);
    answer(first);
    answer(another);
    expect([mux.inFlight, mux.occupied, mux.sole]).toEqual([0, 0, undefined]);
  });

  test('is over with the worker', () => {
    const { mux, waiter } = createTalk();
    mux.request(ask(), waiter('result', { isAside: true }));
    expect([mux.failAll(new Error('gone')), mux.inFlight, mux.occupied]).toEqual([1, 0, 0]);
  });
});
