import { describe, expect, test } from 'vitest';
import { type AnswerFor, Parking } from '../../../src/bridge/parking.ts';
import { createStateSeal, type StateOwner } from '../../../src/bridge/request-state.ts';
import { type Call, Cancellation, type Question, type Reply } from '../../../src/calls/call.ts';
import { ProxyError } from '../../../src/calls/error.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { messageOf, someCall } from '../calls/some-call.ts';
import { oddMembers } from './some-response.ts';
import { readMessage } from '../../../src/mcp/message.ts';

const owner: StateOwner = {
  tenantId: 'acme',
  keyName: 'laptop',
  server: 'default',
  method: 'tools/call',
  name: 'a',
};
const fiveMinutesMs = 300_000;
const turn = () => new Promise((resolve) => setImmediate(resolve));
const textOf = ({ parts }: Reply) => Buffer.concat(parts).toString();

/** The worker of one call: what it is given, asks and answers. */
function someWorker() {
  let inner: Call | undefined;
  let settle: { resolve: (answer: AnswerFor) => void; reject: (error: Error) => void } | undefined;
  const answered: string[] = [];
  return {
    answered,
    start: (call: Call) =>
      new Promise<AnswerFor>((resolve, reject) => {
        inner = call;
        settle = { resolve, reject };
        // As a worker does: a call that is given up is cancelled on it, and gets no answer.
        call.cancellation.listen(reject);
      }),
    get call() {
      return inner!;
    },
    ask: (
      id: string,
      body = '"method":"elicitation/create","params":{"message":"Größe?"}',
    ): Question | undefined =>
      inner!.visitor!.ask(readMessage(Buffer.from(`{"jsonrpc":"2.0","id":${id},${body}}`)), (response) => {
        answered.push(Buffer.concat(response).toString());
      }),
    answer: (text: string) =>
      settle!.resolve((idText) => ({ parts: [Buffer.from(`${idText} ${text}`)], isError: false })),
    fail: (error: Error) => settle!.reject(error),
  };
}

function somePlace() {
  const clock = createFakeClock();
  const seal = createStateSeal(() => clock.now());
  const parking = new Parking({ clock, seal });
  const callOf = (id: number, own: Partial<Call> = {}) =>
    someCall({
      message: messageOf({ id, method: 'tools/call', params: { name: 'a' } }),
      visitor: {
        capabilities: { elicitation: {} },
        clientInfo: undefined,
        logLevel: 'info',
        ask: () => undefined,
      },
      ...own,
    });
  return {
    clock,
    parking,
    callOf,
    begin: (id: number, own: Partial<Call> = {}) => {
      const worker = someWorker();
      const call = callOf(id, own);
      return { worker, call, reply: parking.begin(call, owner, worker.start) };
    },
    /** What the client got, and the number of the parked call in it. */
    required: async (reply: Promise<Reply>) => {
      clock.advance(15);
      const { id, result } = JSON.parse(textOf(await reply)) as {
        id: unknown;
        result: { resultType: string; inputRequests: object; requestState: string };
      };
      return { id, ...result, park: seal.open(owner, result.requestState)?.park ?? 0 };
    },
    resume: (park: number, id: number, responses: Record<string, string> = {}, own: Partial<Call> = {}) =>
      parking.resume(park, callOf(id, own), new Map(Object.entries(responses))),
  };
}

/** A place where a call waits for the answer to `r1`. */
async function parkedPlace() {
  const place = somePlace();
  const begun = place.begin(1);
  begun.worker.ask('0');
  const { park } = await place.required(begun.reply);
  return { ...place, ...begun, park };
}

test('a call without questions is answered like any other, and nothing is left of it', async () => {
  const { begin, parking } = somePlace();
  const { worker, reply } = begin(1);
  worker.answer('done');
  expect(textOf(await reply)).toBe('1 done');
  expect(parking.size).toBe(0);
});

test('a call that fails, fails', async () => {
  const { begin, parking } = somePlace();
  const { worker, reply } = begin(1);
  const error = new ProxyError('CRASHED', 'It ended');
  worker.fail(error);
  await expect(reply).rejects.toBe(error);
  expect(parking.size).toBe(0);
});

describe('a question of the server', () => {
  test('comes to the client as it is, with a state that only this request may bring back', async () => {
    const { begin, required, parking } = somePlace();
    const { worker, reply } = begin(1);
    worker.ask('0', `"method":"elicitation/create","params":{${oddMembers}}`);
    const got = await required(reply);
    expect(got).toMatchObject({ id: 1, resultType: 'input_required', park: 1 });
    expect((await reply).isError).toBe(false);
    expect(textOf(await reply)).toContain(`{"r1":{"method":"elicitation/create","params":{${oddMembers}}}}`);
    expect(parking.size).toBe(1);
  });

  test('to open a page has no id, which the modern era does not know', async () => {
    const { begin, required } = somePlace();
    const { worker, reply } = begin(1);
    const page = (id: string) =>
      `"method":"elicitation/create","params":{"mode":"url"${id},"url":"u",${oddMembers}}`;
    worker.ask('0', page(',"elicitationId":"e"'));
    await required(reply);
    expect(textOf(await reply)).toContain(`{"r1":{${page('')}}}`);
  });

  test('waits a moment for others, which come along', async () => {
    const { begin, required, clock } = somePlace();
    const { worker, reply } = begin(1);
    let isThere = false;
    void reply.then(() => (isThere = true));
    worker.ask('0');
    clock.advance(14);
    worker.ask('"x"', '"method":"roots/list"');
    await turn();
    expect(isThere).toBe(false);
    const { inputRequests } = await required(reply);
    expect(inputRequests).toEqual({
      r1: { method: 'elicitation/create', params: { message: 'Größe?' } },
      r2: { method: 'roots/list' },
    });
  });

  test('that is taken back at once is not asked', async () => {
    const { begin, clock } = somePlace();
    const { worker, reply } = begin(1);
    worker.ask('0')!.withdraw();
    clock.advance(1000);
    worker.answer('done');
    expect(textOf(await reply)).toBe('1 done');
  });
});

describe('a client that comes back', () => {
  test('has its answers on the worker to the byte, under the worker’s own id, and gets the last word under its new one', async () => {
    const { resume, worker, park, parking } = await parkedPlace();
    const reply = resume(park, 2, { r1: Buffer.from(`{${oddMembers}}`).toString('latin1'), r9: '{}' })!;
    expect(worker.answered).toEqual([`{"jsonrpc":"2.0","id":0,"result":{${oddMembers}}}`]);
    worker.answer('done');
    expect(textOf(await reply)).toBe('2 done');
    expect(parking.size).toBe(0);
  });

  test('without all the answers is asked for the rest at once', async () => {
    const { begin, required, resume } = somePlace();
    const { worker, reply } = begin(1);
    worker.ask('0');
    worker.ask('1');
    const { park } = await required(reply);
    const second = await required(resume(park, 2, { r2: '{}' })!);
    expect(second).toMatchObject({ id: 2, park });
    expect(Object.keys(second.inputRequests)).toEqual(['r1']);
    expect(worker.answered).toEqual(['{"jsonrpc":"2.0","id":1,"result":{}}']);
  });

  test('is asked the next thing, under a key of its own', async () => {
    const { required, resume, worker, park } = await parkedPlace();
    const reply = resume(park, 2, { r1: '{}' })!;
    worker.ask('1');
    const next = await required(reply);
    expect(Object.keys(next.inputRequests)).toEqual(['r2']);
    const last = resume(park, 3, { r1: '{"old":1}', r2: '{"new":1}' })!;
    worker.answer('done');
    expect(textOf(await last)).toBe('3 done');
    expect(worker.answered[1]).toBe('{"jsonrpc":"2.0","id":1,"result":{"new":1}}');
  });

  test('finds the answer that came meanwhile: the server did not want to know any more', async () => {
    const { resume, worker, park } = await parkedPlace();
    worker.answer('done without');
    await turn();
    expect(textOf(await resume(park, 2)!)).toBe('2 done without');
  });

  test('finds the failure that came meanwhile', async () => {
    const { resume, worker, park, parking } = await parkedPlace();
    const error = new ProxyError('CRASHED', 'It ended');
    worker.fail(error);
    await turn();
    await expect(resume(park, 2)!).rejects.toBe(error);
    expect(parking.size).toBe(0);
  });

  test('a second time, to what is over, finds nothing', async () => {
    const { resume, worker, park } = await parkedPlace();
    const reply = resume(park, 2, { r1: '{}' });
    worker.answer('done');
    await reply;
    expect(resume(park, 3, { r1: '{}' })).toBeUndefined();
  });

  test('twice at the same time is served once', async () => {
    const { resume, park } = await parkedPlace();
    expect(resume(park, 2, { r1: '{}' })).toBeDefined();
    expect(resume(park, 3, { r1: '{}' })).toBeUndefined();
  });

  test('to what never was finds nothing', async () => {
    const { resume, park } = await parkedPlace();
    expect(resume(park + 1, 2)).toBeUndefined();
  });

  test('is told what the worker says now, and may have run the tool already', async () => {
    const { resume, call, callOf, worker, park, parking } = await parkedPlace();
    const told: string[] = [];
    let awake = 0;
    worker.call.tell([messageOf({ method: 'notifications/message', params: { data: 1 } }).bytes]);
    worker.call.stayAwake();
    worker.call.heardAt = 66;
    expect([call.heardAt, worker.call.heardAt]).toEqual([66, 66]);
    const second = callOf(2, {
      tell: (message) => told.push(Buffer.concat(message).toString()) > 0,
      stayAwake: () => awake++,
      dispatched: false,
    });
    void parking.resume(park, second, new Map([['r1', '{}']]));
    const { bytes } = messageOf({ method: 'notifications/message', params: { data: 2 } });
    worker.call.tell([bytes]);
    worker.call.stayAwake();
    worker.call.heardAt = 77;
    expect([told, awake, second.heardAt]).toEqual([[bytes.toString()], 1, 77]);
    expect([second.dispatched, worker.call.dispatched]).toEqual([true, true]);
    expect(resume(park, 3)).toBeUndefined();
  });
});

test('what a client can do and wants to hear is what its last request says', async () => {
  const { resume, worker, park } = await parkedPlace();
  const { visitor } = worker.call;
  expect(visitor).toMatchObject({ capabilities: { elicitation: {} }, logLevel: 'info' });
  const declared = { capabilities: { sampling: {} }, clientInfo: { name: 'other' }, logLevel: undefined };
  void resume(park, 2, { r1: '{}' }, { visitor: { ...declared, ask: () => undefined } });
  expect(visitor).toMatchObject(declared);
});

test('progress is told under the token of the request that is open, and of none that asked for none', async () => {
  const { worker, park, callOf, required, parking } = await parkedPlace();
  const told: string[] = [];
  const tell = (message: readonly Buffer[]) => told.push(Buffer.concat(message).toString()) > 0;
  const progress = (progressToken: unknown) =>
    messageOf({ method: 'notifications/progress', params: { progressToken, progress: 1 } }).bytes;
  const retry = async (id: number, meta: object) => {
    const message = messageOf({ id, method: 'tools/call', params: { name: 'a', _meta: meta } });
    const answers = new Map([[`r${id - 1}`, '{}']]);
    const reply = parking.resume(park, callOf(id, { message, tell }), answers)!;
    worker.call.tell([progress('first')]);
    worker.ask(String(id));
    await required(reply);
  };
  await retry(2, { progressToken: 'é' });
  await retry(3, {});
  await retry(4, { progressToken: 4 });
  expect(told).toEqual([progress('é'), progress(4)].map(String));
});

describe('a call is given up on the worker', () => {
  test('when its client closes the stream', async () => {
    const { begin, parking } = somePlace();
    const { worker, call, reply } = begin(1);
    const reason = new ProxyError('CANCELLED', 'The client closed the stream');
    call.cancellation.cancel(reason);
    await expect(reply).rejects.toBe(reason);
    expect(worker.call.cancellation.reason).toBe(reason);
    expect(parking.size).toBe(0);
  });

  test('when its client closes the stream of a later round, and not because an earlier one was closed', async () => {
    const { resume, worker, call, park } = await parkedPlace();
    const cancellation = new Cancellation();
    const reply = resume(park, 2, { r1: '{}' }, { cancellation })!;
    call.cancellation.cancel(new ProxyError('CANCELLED', 'too late to mean anything'));
    expect(worker.call.cancellation.reason).toBeUndefined();
    const reason = new ProxyError('CANCELLED', 'The client closed the stream');
    cancellation.cancel(reason);
    await expect(reply).rejects.toBe(reason);
    expect(worker.call.cancellation.reason).toBe(reason);
  });

  test('when its client does not come back for five minutes; then there is nothing to come back to', async () => {
    const { clock, resume, worker, park, parking } = await parkedPlace();
    clock.advance(fiveMinutesMs - 16);
    expect(worker.call.cancellation.reason).toBeUndefined();
    clock.advance(16);
    expect(worker.call.cancellation.reason).toMatchObject({ code: 'CANCELLED' });
    await turn();
    expect(resume(park, 2, { r1: '{}' })).toBeUndefined();
    expect([parking.size, worker.answered]).toEqual([0, []]);
  });

  test('when its client has left before it had the questions', async () => {
    const { worker, call, resume, park, parking } = await parkedPlace();
    call.cancellation.cancel(new ProxyError('CANCELLED', 'The client closed the stream'));
    expect(worker.call.cancellation.reason).toMatchObject({ code: 'CANCELLED' });
    expect(resume(park, 2, { r1: '{}' })).toBeUndefined();
    expect(parking.size).toBe(0);
  });

  test('when others wait in vain for its worker, and only while its client is away', async () => {
    const { clock, worker, resume, required, park, parking } = await parkedPlace();
    const parkedAt = clock.now();
    expect(worker.call.visitor?.away).toMatchObject({ since: parkedAt });
    clock.advance(100);
    const second = resume(park, 2)!;
    worker.ask('1');
    await required(second);
    const { away } = worker.call.visitor!;
    expect(away?.since).toBeGreaterThan(parkedAt);
    const third = resume(park, 3, { r1: '{}', r2: '{}' })!;
    expect(worker.call.visitor?.away).toBeUndefined();
    worker.ask('2');
    await required(third);
    worker.call.visitor?.away?.giveUp();
    expect(worker.call.cancellation.reason).toMatchObject({ code: 'CANCELLED' });
    expect(resume(park, 4, { r3: '{}' })).toBeUndefined();
    expect(parking.size).toBe(0);
  });

  test('and not while its client is there, however long that takes', async () => {
    const { clock, resume, worker, park } = await parkedPlace();
    const reply = resume(park, 2, { r1: '{}' })!;
    clock.advance(10 * fiveMinutesMs);
    worker.answer('done');
    expect(textOf(await reply)).toBe('2 done');
  });
});

test('of the answers whose clients are away only the last sixteen are kept', async () => {
  const { begin, required, resume, parking } = somePlace();
  const parks: number[] = [];
  for (let id = 1; id <= 20; id++) {
    const { worker, reply } = begin(id);
    worker.ask('0');
    parks.push((await required(reply)).park);
    worker.answer('done');
    await turn();
  }
  expect(parking.size).toBe(16);
  expect(parks.slice(0, 4).map((park) => resume(park, 99))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(textOf(await resume(parks[4]!, 99)!)).toBe('99 done');
});

test('an answer that nobody fetches is kept for five minutes', async () => {
  const { clock, resume, worker, park, parking } = await parkedPlace();
  worker.answer('done');
  await turn();
  clock.advance(fiveMinutesMs - 16);
  expect(parking.size).toBe(1);
  clock.advance(16);
  expect([parking.size, resume(park, 2)]).toEqual([0, undefined]);
});

test('calls that were given up take no place among the answers that are kept', async () => {
  const { begin, required, resume, clock } = somePlace();
  for (let id = 1; id <= 16; id++) {
    const { worker, reply } = begin(id);
    worker.ask('0');
    await required(reply);
  }
  clock.advance(fiveMinutesMs - 1000);
  const { worker, reply } = begin(17);
  worker.ask('0');
  const { park } = await required(reply);
  worker.answer('done');
  await turn();
  clock.advance(1000);
  await turn();
  expect(textOf(await resume(park, 99)!)).toBe('99 done');
});

describe('of its client the worker sees', () => {
  test('what the first request said, whichever is open', () => {
    const clientInfo = { name: 'c', version: '1' };
    const visitor = { capabilities: { roots: {} }, clientInfo, logLevel: 'info', ask: () => undefined };
    const { begin } = somePlace();
    const { worker, call } = begin(1, { visitor });
    expect(worker.call.visitor).toMatchObject({ capabilities: { roots: {} }, clientInfo, logLevel: 'info' });
    call.heardAt = 5;
    call.dispatched = true;
    expect([worker.call.heardAt, worker.call.dispatched]).toEqual([5, true]);
    worker.call.dispatched = false;
    expect(call.dispatched).toBe(false);
  });

  test('that it can answer nothing, if it did not say', () => {
    const worker = someWorker();
    void somePlace().parking.begin(someCall(), owner, worker.start);
    expect(worker.call.visitor).toMatchObject({
      capabilities: {},
      clientInfo: undefined,
      logLevel: undefined,
    });
  });
});

test('a question that comes while the client is away is asked in the next round', async () => {
  const { begin, required, resume } = somePlace();
  const { worker, reply } = begin(1);
  worker.ask('0');
  const { park } = await required(reply);
  worker.ask('1');
  const again = await required(resume(park, 2, { r1: '{}' })!);
  expect(Object.keys(again.inputRequests)).toEqual(['r2']);
});
