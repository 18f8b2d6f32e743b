import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedMessage, type Message, readMessage } from '../../../src/mcp/message.ts';
import { answerOf, Multiplexer } from '../../../src/mcp/multiplexer.ts';

const maxDepth = 64;

interface Sent {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { n?: number; requestId?: number; _meta?: { progressToken?: number } };
}

/** A multiplexer with a worker whose mouth is this test's. */
function createTalk() {
  const lines: string[] = [];
  const heard: string[] = [];
  const violations: string[] = [];
  const mux = new Multiplexer((line) => lines.push(Buffer.concat(line).toString()), {
    request: ({ method }) => heard.push(method),
    notification: ({ method }) => heard.push(method),
    answeredLate: () => heard.push('late'),
    strayProgress: () => undefined,
    violation: (reason) => violations.push(reason),
  });
  return {
    mux,
    lines,
    heard,
    violations,
    sent: () => lines.map((line) => JSON.parse(line) as Sent),
    say: (text: string) => mux.receive(Buffer.from(text), maxDepth),
  };
}

/** A caller that keeps all it is told. */
function createCaller() {
  const replies: string[] = [];
  const progress: string[] = [];
  const failures: Error[] = [];
  const errors: boolean[] = [];
  const waiter = {
    reply(response: Message, idText: string) {
      replies.push(Buffer.concat(answerOf(response, idText)).toString());
      errors.push(response.error !== undefined);
    },
    progress: (notification: readonly Buffer[]) => progress.push(Buffer.concat(notification).toString()),
    fail: (error: Error) => failures.push(error),
  };
  return { waiter, replies, progress, failures, errors };
}

const request = (id: string, n = 0, token?: string) => {
  const meta = token === undefined ? '' : `,"_meta":{"progressToken":${token}}`;
  return readMessage(
    Buffer.from(`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"n":${n}${meta}}}`),
  );
};

/** Spellings that a parser would make equal, or lose: the caller must get its own back. */
const spelling = fc.oneof(
  fc.constantFrom('1', '"1"', '1.0', '1e0', '-0', '12345678901234567890', '12345678901234567891', '"é"'),
  fc.constantFrom('"\\u0031"', '"\\u00e9"', '2', '3'),
  fc.string().map((text) => JSON.stringify(text)),
);
const shuffled = (size: number) => fc.shuffledSubarray([...Array(size).keys()], { minLength: size });
const crowd = fc
  .array(fc.record({ id: spelling, token: fc.option(spelling, { nil: undefined }) }), {
    minLength: 1,
    maxLength: 30,
  })
  .chain((calls) => fc.record({ calls: fc.constant(calls), order: shuffled(calls.length) }));

describe('many callers on one worker', () => {
  test('each gets its own answer, with its id byte for byte', () => {
    fc.assert(
      fc.property(crowd, ({ calls, order }) => {
        const { mux, sent, say, violations } = createTalk();
        const callers = calls.map(({ id, token }, n) => {
          const caller = createCaller();
          mux.request(request(id, n, token), caller.waiter);
          return caller;
        });
        const asked = sent();
        expect(new Set(asked.map(({ id }) => id)).size).toBe(calls.length);
        expect(mux.inFlight).toBe(calls.length);
        for (const at of order) {
          const { id, params } = asked[at]!;
          say(`{"jsonrpc":"2.0","result":{"for":${params!.n!}}, "id":${id!}}`);
        }
        for (const [n, { replies, failures }] of callers.entries()) {
          expect(replies).toEqual([`{"jsonrpc":"2.0","result":{"for":${n}}, "id":${calls[n]!.id}}`]);
          expect(failures).toEqual([]);
        }
        expect(mux.inFlight).toBe(0);
        expect(violations).toEqual([]);
      }),
    );
  });

  test('each gets its own progress, with its token byte for byte', () => {
    fc.assert(
      fc.property(crowd, ({ calls, order }) => {
        const { mux, sent, say } = createTalk();
        const callers = calls.map(({ id, token }, n) => {
          const caller = createCaller();
          mux.request(request(id, n, token), caller.waiter);
          return caller;
        });
        const report = (token: string | number, n: number) =>
          `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},"progress":${n}}}`;
        const asked = sent();
        for (const at of order) {
          const { params } = asked[at]!;
          const token = params!._meta?.progressToken;
          if (token !== undefined) say(report(token, params!.n!));
        }
        for (const [n, { progress, replies }] of callers.entries()) {
          const { token } = calls[n]!;
          expect(progress).toEqual(token === undefined ? [] : [report(token, n)]);
          expect(replies).toEqual([]);
        }
      }),
    );
  });
});

describe('what the worker reads', () => {
  test('is one line, the same but for id and token', () => {
    const { mux, lines } = createTalk();
    const bytes =
      '{"params":{"_meta":{"progressToken":"t","x":1.0}, "big":12345678901234567890},"method":"m","id":"a","jsonrpc":"2.0"}';
    const innerId = mux.request(readMessage(Buffer.from(bytes)), createCaller().waiter);
    expect(lines).toEqual([`${bytes.replace('"t"', String(innerId)).replace('"a"', String(innerId))}\n`]);
  });

  test('never holds an id twice, not even after the first was answered', () => {
    const { mux, say } = createTalk();
    const first = mux.request(request('1'), createCaller().waiter);
    say(`{"jsonrpc":"2.0","id":${first},"result":{}}`);
    expect(mux.request(request('1'), createCaller().waiter)).not.toBe(first);
  });
});

test('an error of the server is told from a result', () => {
  const { mux, say } = createTalk();
  const [good, bad] = [createCaller(), createCaller()];
  const [goodId, badId] = [good, bad].map(({ waiter }) => mux.request(request('1'), waiter));
  say(`{"jsonrpc":"2.0","id":${badId!},"error":{"code":-1,"message":"no"}}`);
  say(`{"jsonrpc":"2.0","id":${goodId!},"result":{}}`);
  expect([good.errors, bad.errors]).toEqual([[false], [true]]);
});

describe('answers nobody asked for', () => {
  test.each(['2', '0', '-1', '1.0', '"1"', '1e0', 'null', '12345678901234567890'])(
    'id %s was never given out: the worker must go, and nobody gets the answer',
    (id) => {
      const { mux, say, violations } = createTalk();
      const caller = createCaller();
      mux.request(request('1'), caller.waiter);
      say(
        id === 'null'
          ? '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":""}}'
          : `{"jsonrpc":"2.0","id":${id},"result":{}}`,
      );
      expect(violations).toHaveLength(1);
      expect(caller.replies).toEqual([]);
      expect(mux.inFlight).toBe(1);
    },
  );

  test('a double may be a slip; who keeps doing it must go', () => {
    const { mux, say, violations } = createTalk();
    const caller = createCaller();
    const answer = `{"jsonrpc":"2.0","id":${mux.request(request('1'), caller.waiter)},"result":{}}`;
    for (let time = 0; time < 3; time++) say(answer);
    expect(violations).toEqual([]);
    say(answer);
    expect(violations).toHaveLength(1);
    expect(caller.replies).toHaveLength(1);
  });

  test('progress without a taker is dropped, and harms nobody', () => {
    const { mux, say, heard, violations } = createTalk();
    const silent = createCaller();
    const innerId = mux.request(request('1'), silent.waiter);
    const wishes = createCaller();
    const withToken = mux.request(request('1', 0, '1'), wishes.waiter);
    for (const token of [innerId, 99, `"${withToken}"`, `${withToken}.0`, 'null', '{}'])
      say(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token}}}`);
    say('{"jsonrpc":"2.0","method":"notifications/progress"}');
    expect([silent.progress, wishes.progress, heard, violations]).toEqual([[], [], [], []]);
  });

  test('what is no message is thrown back, and nothing is settled', () => {
    const { mux, say } = createTalk();
    mux.request(request('1'), createCaller().waiter);
    expect(() => say('Listening on port 3000')).toThrow(MalformedMessage);
    expect(() => say('['.repeat(maxDepth + 1))).toThrow(MalformedMessage);
    expect(mux.inFlight).toBe(1);
  });
});

describe('a call given up', () => {
  test('is cancelled on the worker by the id it has there, once', () => {
    const { mux, sent } = createTalk();
    mux.request(request('7'), createCaller().waiter);
    const innerId = mux.request(request('7'), createCaller().waiter);
    mux.cancel(innerId);
    mux.cancel(innerId);
    const cancellations = sent().filter(({ method }) => method === 'notifications/cancelled');
    expect(cancellations.map(({ params }) => params)).toEqual([{ requestId: innerId }]);
    expect(mux.inFlight).toBe(1);
  });

  test('hears nothing more, and its late answer is no offence', () => {
    const { mux, say, violations } = createTalk();
    const caller = createCaller();
    const cancelled = [1, 2, 3, 4].map(() => mux.request(request('1', 0, '1'), caller.waiter));
    for (const innerId of cancelled) mux.cancel(innerId);
    for (const innerId of cancelled) {
      say(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${innerId}}}`);
      say(`{"jsonrpc":"2.0","id":${innerId},"result":{}}`);
    }
    expect(mux.failAll(new Error('gone'))).toBe(0);
    expect(caller).toMatchObject({ replies: [], progress: [], failures: [] });
    expect(violations).toEqual([]);
  });

  test('that was answered already is not cancelled', () => {
    const { mux, say, lines } = createTalk();
    const innerId = mux.request(request('1'), createCaller().waiter);
    say(`{"jsonrpc":"2.0","id":${innerId},"result":{}}`);
    mux.cancel(innerId);
    expect(lines).toHaveLength(1);
  });
});

test('when the worker is gone, everybody who waits is told once, and those answered are left alone', () => {
  const { mux, say } = createTalk();
  const callers = [createCaller(), createCaller(), createCaller()];
  const [first] = callers.map(({ waiter }) => mux.request(request('1'), waiter));
  say(`{"jsonrpc":"2.0","id":${first!},"result":{}}`);
  const gone = new Error('gone');
  expect(mux.failAll(gone)).toBe(2);
  expect(mux.failAll(gone)).toBe(0);
  expect(callers.map(({ failures }) => failures)).toEqual([[], [gone], [gone]]);
  expect(mux.inFlight).toBe(0);
});

test('a caller that asks again when it is told of the end is not told a second time', () => {
  const { mux } = createTalk();
  const again = createCaller();
  const stubborn = { ...createCaller().waiter, fail: () => void mux.request(request('2'), again.waiter) };
  mux.request(request('1'), stubborn);
  expect(mux.failAll(new Error('gone'))).toBe(1);
  expect(again.failures).toEqual([]);
  expect(mux.inFlight).toBe(1);
});

describe('what the worker says of itself', () => {
  test.each(['1', '"é"', '1.0', '12345678901234567890', '"\\u00e9"'])('its ping %s is answered', (id) => {
    const { say, lines, heard } = createTalk();
    say(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`);
    expect(lines).toEqual([`{"jsonrpc":"2.0","id":${id},"result":{}}\n`]);
    expect(heard).toEqual([]);
  });

  test('its questions and news are passed on', () => {
    const { say, lines, heard } = createTalk();
    say('{"jsonrpc":"2.0","id":1,"method":"roots/list"}');
    say('{"jsonrpc":"2.0","method":"notifications/message"}');
    expect(heard).toEqual(['roots/list', 'notifications/message']);
    expect(lines).toEqual([]);
  });

  test('a question of its own is never taken for the answer to a call of the same id', () => {
    const { mux, say } = createTalk();
    const caller = createCaller();
    const innerId = mux.request(request('1'), caller.waiter);
    say(`{"jsonrpc":"2.0","id":${innerId},"method":"roots/list"}`);
    expect(caller.replies).toEqual([]);
    expect(mux.inFlight).toBe(1);
  });

  test('a batch is taken apart, whatever is in it; an empty or broken one is no message', () => {
    const { mux, say, heard } = createTalk();
    const callers = [createCaller(), createCaller()];
    const [one, two] = callers.map(({ waiter }, at) => mux.request(request(`"${at}"`), waiter));
    say(
      `[{"jsonrpc":"2.0","id":${two},"result":2}, {"jsonrpc":"2.0","method":"n"},{"jsonrpc":"2.0","id":${one},"result":1}]`,
    );
    expect(callers.map(({ replies }) => replies)).toEqual([
      ['{"jsonrpc":"2.0","id":"0","result":1}'],
      ['{"jsonrpc":"2.0","id":"1","result":2}'],
    ]);
    expect(heard).toEqual(['n']);
    for (const text of ['[]', '[1]', '[[]]', '[{"jsonrpc":"2.0"}', '[{"jsonrpc":"2.0"}]'])
      expect(() => say(text)).toThrow(MalformedMessage);
  });
});
