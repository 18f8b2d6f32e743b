import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callJson, connect } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import { parseAnswer } from '../support/machine-pid.ts';
import {
  answerLine,
  answerOf,
  errorIn,
  type Exchange,
  openRawSession,
  type RawSession,
  toolText,
} from '../support/raw-session.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

/** One process, whoever asks: what it has seen is then all there was to see. */
const oneWorker = 'pool: { max: 1 }';
const settings: Record<string, string> = {
  ids: oneWorker,
  progress: oneWorker,
  ...Object.fromEntries(
    ['look-alikes', 'many', 'same-id', 'hang-up', 'official', 'goodbye'].map((id) => [id, oneWorker]),
  ),
  newcomers: oneWorker,
  lists: oneWorker,
  others: oneWorker,
  resources: oneWorker,
  logs: oneWorker,
  handshake: oneWorker,
  shared: oneWorker,
  alone: oneWorker,
  exclusive: 'pool: { sharing: exclusive, max: 10 }',
  // Apart from the others: a worker that a refusal harmed would make its tenant wait.
  incapable: 'pool: { sharing: exclusive, max: 10 }',
  leased: 'pool: { sharing: leased, max: 2 }',
  // Started ahead, because the first handshake would have to keep these deadlines too.
  hasty: 'pool: { min: 1, max: 1 }\ndeadline: { call: 800ms }',
  bounded: 'pool: { min: 1, max: 1 }\ndeadline: { call: 800ms, max: 2s }',
};

/** What a fixture says that it has seen. */
interface Seen {
  readonly pid: number;
  readonly initialize: number;
  readonly initialized: number;
  readonly pings: number;
  readonly batches: number;
  readonly inFlight: number;
  readonly cancelled: readonly unknown[];
  readonly duplicateIds: readonly unknown[];
  readonly notifications: Readonly<Record<string, number>>;
  readonly methods: Readonly<Record<string, number>>;
  readonly subscribed: readonly string[];
  readonly level: string | null;
  readonly clientInfo: { readonly name: string };
  readonly clientCapabilities: Readonly<Record<string, unknown>>;
}

let proxy: RunningProxy;

beforeAll(async () => {
  const files = Object.entries(settings).map(([id, more]) => [id, tenantYaml(id, 'echo', more)] as const);
  proxy = await startProxy({ tenants: Object.fromEntries(files) });
});

afterAll(() => proxy.stop());

const keyOf = (tenant: string): string => proxy.keys[tenant]!;
const open = (tenant: string, capabilities: object = {}): Promise<RawSession> =>
  openRawSession(proxy.url, keyOf(tenant), { capabilities });
/** As clients do: the first thing they ask is what there is. */
async function openAndLook(tenant: string): Promise<RawSession> {
  const session = await open(tenant);
  expect(await session.ask('tools/list')).toContain('"name":"whoami"');
  return session;
}
const seenBy = async (session: RawSession) => parseAnswer(await session.text('seen')) as Seen;

/** The methods of the messages that came so far. */
const methodsOn = ({ messages }: Exchange): string[] =>
  messages.map((message) => (JSON.parse(message) as { method?: string }).method ?? 'answer');

/** Waits for the list change that a test has just caused, which is always the last thing that comes. */
const untilChange = (stream: Exchange, list = 'prompts') =>
  eventually(() => methodsOn(stream).includes(`notifications/${list}/list_changed`));

describe('ids', () => {
  test('one session that sends id 1 for everything at once gets every answer where it was asked', async () => {
    const session = await open('ids');
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        // The first asked is the last answered.
        if (n % 2 === 0) return session.call('sleep', { ms: 240 - n * 4 });
        return session.call('echo', { text: `call ${n}` });
      }),
    );
    expect(answers).toEqual(
      answers.map((_, n) => answerLine('1', n % 2 === 0 ? `slept ${240 - n * 4}` : `call ${n}`)),
    );
    expect((await seenBy(session)).duplicateIds).toEqual([]);
  });

  const spellings = [
    ...['1', '"1"', '0', '-0', '-7', '1.0', '1.5', '1e3', '1E+3', '0.1e-7'],
    ...['9007199254740993', '-9007199254740993', '123456789012345678901234567890', '1e400'],
    ...[
      '""',
      '" "',
      '"zażółć 🙂"',
      '"\\u0031"',
      '"\\ud83d\\ude42"',
      '"\\"\\\\\\/\\n"',
      '"$&"',
      `"${'x'.repeat(4096)}"`,
    ],
  ];

  test('come back byte for byte, whatever they are', async () => {
    const session = await open('ids');
    const answers = await Promise.all(
      spellings.map((id, n) => session.call('echo', { text: `text ${n}` }, { id })),
    );
    expect(answers).toEqual(spellings.map((id, n) => answerLine(id, `text ${n}`)));
  });

  test("also in an answer that is the server's or the proxy's own error", async () => {
    const session = await open('ids');
    for (const id of ['9007199254740993', '"1"', '1.50']) {
      const failed = await session.call('fail', { code: -32050, message: 'asked to' }, { id });
      expect(failed).toBe(`{"jsonrpc":"2.0","id":${id},"error":{"code":-32050,"message":"asked to"}}`);
      const unknown = await session.post(`{"jsonrpc":"2.0","id":${id},"method":"tools/call"}`, {
        'mcp-session-id': 'never-was',
      });
      expect((await unknown.ended).startsWith(`{"jsonrpc":"2.0","id":${id},"error"`)).toBe(true);
    }
  });

  test.each(['null', 'true', '{}', '[1]', '[]'])('%s is none', async (id) => {
    const session = await open('ids');
    const answer = await session.post(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`);
    expect(answer.status).toBe(400);
    expect(errorIn(await answer.ended)).toMatchObject({ code: -32600, data: { code: 'INVALID_REQUEST' } });
  });

  test('an id spelled with escapes in its key is an id all the same', async () => {
    const session = await open('ids');
    const body =
      '{"jsonrpc":"2.0","\\u0069d":77,"method":"tools/call","params":{"name":"echo","arguments":{"text":"x"}}}';
    const answer = await session.post(body);
    expect(JSON.parse(await answerOf(answer))).toMatchObject({
      id: 77,
      result: { content: [{ text: 'x' }] },
    });
    expect((await seenBy(session)).duplicateIds).toEqual([]);
  });

  test('what is not ours to read goes through as it was written', async () => {
    const session = await open('ids');
    const text = '{"n":9007199254740993,"__proto__":{"x":1},"f":1.0}';
    expect(await session.call('echo', { text })).toBe(answerLine('1', text));
  });
});

describe('progress', () => {
  const steps = 4;

  /** What one asker must see on its stream, to the byte. */
  const expected = (token: string) =>
    Array.from(
      { length: steps },
      (_, at) =>
        `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},"progress":${at + 1},"total":${steps}}}`,
    );

  test('goes to who asked for it, with its token as it was spelled', async () => {
    const [one, two] = [await open('progress'), await open('progress')];
    const tokens = ['1', '"1"', '9007199254740993', '1.0', '"zażółć"', '0', '""'];
    const asked = tokens.flatMap((token) => [one, two].map((session) => ({ token, session })));
    const streams = await Promise.all(
      asked.map(({ token, session }) => session.begin('progress', { steps, ms: 15 }, { token })),
    );
    await Promise.all(streams.map(({ ended }) => ended));
    for (const [at, { messages }] of streams.entries()) {
      expect(messages.slice(0, -1)).toEqual(expected(asked[at]!.token));
      expect(messages.at(-1)).toContain('"id":1,"result"');
    }
  });

  test('who did not ask for it gets the answer alone', async () => {
    const session = await open('progress');
    const other = session.begin('progress', { steps, ms: 20 }, { token: '1' });
    const answer = await session.begin('progress', { steps, ms: 20 });
    expect(toolText(await answerOf(answer))).toBe('{"progressToken":null}');
    expect(answer.messages.length).toBe(1);
    await (
      await other
    ).ended;
  });

  test('reaches the official client, whose tokens are its ids', async () => {
    const clients = await Promise.all([1, 2, 3].map(() => connect(proxy.url, keyOf('progress'))));
    const heard = await Promise.all(
      clients.map(async (client, at) => {
        const told: number[] = [];
        const count = at + 2;
        const asked = { name: 'progress', arguments: { steps: count, ms: 10 } };
        await client.callTool(asked, undefined, { onprogress: ({ progress }) => told.push(progress) });
        return told;
      }),
    );
    expect(heard).toEqual([
      [1, 2],
      [1, 2, 3],
      [1, 2, 3, 4],
    ]);
    await Promise.all(clients.map((client) => client.close()));
  });
});

// Each on a tenant of its own, so they may wait side by side.
describe.concurrent('cancellation', () => {
  const cancel = (session: RawSession, id: string) =>
    session.notify('notifications/cancelled', `{"requestId":${id},"reason":"a test"}`);
  /** Until the worker works on so many calls. */
  const working = (session: RawSession, count: number) =>
    eventually(async () => (await seenBy(session)).inFlight === count);

  test('reaches the worker for that call alone, with the id it has there', async () => {
    const [mine, theirs] = [await open('look-alikes'), await open('look-alikes')];
    // `seen` numbers what it has cancelled by the worker's ids, which go up by one with every request.
    const before = await seenBy(mine);
    const doomed = mine.begin('sleep', { ms: 60_000 }, { id: '500' });
    await working(mine, 1);
    const other = theirs.begin('sleep', { ms: 1500 }, { id: '500' });
    await working(mine, 2);
    // Neither a look-alike, nor a stranger's, nor one that never was.
    for (const [session, id] of [
      [mine, '"500"'],
      [mine, '500.0'],
      [mine, '501'],
      [theirs, '"500"'],
    ] as const)
      expect((await cancel(session, id)).status).toBe(202);
    expect((await cancel(mine, '500')).status).toBe(202);
    expect((await doomed).status).toBe(200);
    expect(await answerOf(await doomed)).toBe('');
    expect(await answerOf(await other)).toBe(answerLine('500', 'slept 1500'));
    const { cancelled, notifications } = await seenBy(mine);
    expect(cancelled.length).toBe(before.cancelled.length + 1);
    expect(cancelled.every((id) => Number.isSafeInteger(id) && id !== 500)).toBe(true);
    expect(notifications['notifications/cancelled']).toBe(cancelled.length);
  });

  test('names the very call that was meant among many', async () => {
    const session = await open('many');
    const ids = Array.from({ length: 10 }, (_, n) => `"call-${n}"`);
    const exchanges = ids.map((id) => session.begin('sleep', { ms: 2000 }, { id }));
    await working(session, ids.length);
    await cancel(session, '"call-3"');
    const texts = await Promise.all(exchanges.map(async (exchange) => answerOf(await exchange)));
    expect(texts).toEqual(ids.map((id, n) => (n === 3 ? '' : answerLine(id, 'slept 2000'))));
  });

  test('of an id that several calls share cancels none of them', async () => {
    const session = await open('same-id');
    const { cancelled } = await seenBy(session);
    const calls = [session.call('sleep', { ms: 1500 }), session.call('sleep', { ms: 1501 })];
    await working(session, 2);
    await cancel(session, '1');
    expect(await Promise.all(calls)).toEqual([answerLine('1', 'slept 1500'), answerLine('1', 'slept 1501')]);
    expect((await seenBy(session)).cancelled).toEqual(cancelled);
  });

  test('a client that only hangs up has not cancelled (2025-11-25 transports)', async () => {
    const session = await open('hang-up');
    const { cancelled } = await seenBy(session);
    // A token makes it a stream, so that there is something to hang up on.
    const exchange = await session.begin('progress', { steps: 40, ms: 30 }, { token: '1' });
    await eventually(() => exchange.messages.length > 0);
    exchange.close();
    await working(session, 1);
    await working(session, 0);
    expect((await seenBy(session)).cancelled).toEqual(cancelled);
  });

  test('by the official client', async () => {
    const client = await connect(proxy.url, keyOf('official'));
    const { cancelled } = await callJson<Seen>(client, 'seen');
    const aborter = new AbortController();
    const asked = { name: 'sleep', arguments: { ms: 60_000 } };
    const call = client.callTool(asked, undefined, { signal: aborter.signal });
    await eventually(async () => (await callJson<Seen>(client, 'seen')).inFlight === 1);
    aborter.abort('a test');
    await expect(call).rejects.toThrow('a test');
    await eventually(
      async () => (await callJson<Seen>(client, 'seen')).cancelled.length === cancelled.length + 1,
    );
    await client.close();
  });

  test('the end of a session cancels what it still waits for', async () => {
    const [leaving, staying] = [await open('goodbye'), await open('goodbye')];
    const { cancelled } = await seenBy(staying);
    const call = leaving.begin('sleep', { ms: 60_000 });
    await working(staying, 1);
    await sayGoodbye(leaving);
    expect(await answerOf(await call)).toBe('');
    await eventually(async () => (await seenBy(staying)).cancelled.length === cancelled.length + 1);
  });

  async function sayGoodbye(session: RawSession): Promise<void> {
    const response = await fetch(proxy.url, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${keyOf('goodbye')}`, 'mcp-session-id': session.id },
    });
    expect(response.status).toBe(200);
  }
});

describe('what the server says of itself', () => {
  test('a changed list is told to every session of the tenant and to none of another', async () => {
    const [one, two, late, foreign] = [
      await openAndLook('lists'),
      await openAndLook('lists'),
      await openAndLook('lists'),
      await openAndLook('others'),
    ];
    const streams = [await one.listen(), await two.listen()];
    const elsewhere = await foreign.listen();
    await one.text('change', { list: 'tools' });
    await Promise.all(streams.map((stream) => untilChange(stream, 'tools')));
    // Whoever opens its stream later has not missed it.
    await untilChange(await late.listen(), 'tools');
    await foreign.text('change', { list: 'prompts' });
    await untilChange(elsewhere);
    expect(methodsOn(elsewhere)).toEqual(['notifications/prompts/list_changed']);
    for (const stream of streams) expect(methodsOn(stream)).toEqual(['notifications/tools/list_changed']);
  });

  test('a changed list is told to a session that has not asked for anything yet', async () => {
    const [old, newcomer] = [await openAndLook('newcomers'), await open('newcomers')];
    const stream = await newcomer.listen();
    await old.text('change', { list: 'tools' });
    await eventually(() => methodsOn(stream).includes('notifications/tools/list_changed'), 3000);
  });

  test('a subscription that is the first thing a session asks for is counted like any other', async () => {
    const [one, two] = [await open('newcomers'), await open('newcomers')];
    for (const session of [one, two]) await session.ask('resources/subscribe', { uri: 'fixture://first' });
    expect((await seenBy(one)).methods['resources/subscribe']).toBe(1);
  });

  test('an updated resource is told to its subscribers alone', async () => {
    const sessions = [
      await openAndLook('resources'),
      await openAndLook('resources'),
      await openAndLook('resources'),
    ] as const;
    const streams = await Promise.all(sessions.map((session) => session.listen()));
    const [one, two, three] = sessions;
    const uri = 'fixture://one';
    for (const session of [one, two])
      expect(await session.ask('resources/subscribe', { uri })).toBe('{"jsonrpc":"2.0","id":1,"result":{}}');
    // A server may tell of a part of what was subscribed to.
    await three.text('touch', { uri, part: '/part' });
    await one.ask('resources/unsubscribe', { uri });
    await three.text('touch', { uri });
    await two.ask('resources/unsubscribe', { uri });
    const seen = await seenBy(three);
    await three.text('change', { list: 'prompts' });
    await Promise.all(streams.map((stream) => untilChange(stream)));
    const [updated, changed] = ['notifications/resources/updated', 'notifications/prompts/list_changed'];
    expect(streams.map(methodsOn)).toEqual([[updated, changed], [updated, updated, changed], [changed]]);
    // The worker heard of the first to come and the last to go.
    expect(seen.methods).toMatchObject({ 'resources/subscribe': 1, 'resources/unsubscribe': 1 });
    expect(seen.subscribed).toEqual([]);
  });

  test('a session that ends takes its subscriptions with it', async () => {
    const [leaving, staying] = [await openAndLook('resources'), await openAndLook('resources')];
    await leaving.ask('resources/subscribe', { uri: 'fixture://two' });
    expect((await seenBy(staying)).subscribed).toEqual(['fixture://two']);
    await fetch(proxy.url, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${keyOf('resources')}`, 'mcp-session-id': leaving.id },
    });
    await eventually(async () => (await seenBy(staying)).subscribed.length === 0);
  });
});

describe('log messages', () => {
  const logMessages = ({ messages }: Exchange) =>
    messages.filter((message) => message.includes('notifications/message'));

  async function finished(exchange: Promise<Exchange>): Promise<Exchange> {
    await (
      await exchange
    ).ended;
    return exchange;
  }

  test('come on the stream of the call they are about, and nowhere else', async () => {
    const [mine, theirs] = [await openAndLook('logs'), await openAndLook('logs')];
    const [myStream, theirStream] = [await mine.listen(), await theirs.listen()];
    const call = await finished(mine.begin('log', { level: 'info', data: 'for me alone' }));
    expect(call.messages).toEqual([
      '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","logger":"echo","data":"for me alone"}}',
      answerLine('1', 'logged'),
    ]);
    await mine.text('change', { list: 'prompts' });
    for (const stream of [myStream, theirStream]) {
      await untilChange(stream);
      expect(logMessages(stream)).toEqual([]);
    }
  });

  test('are dropped where it is not certain whose they are', async () => {
    const [mine, theirs] = [await open('logs'), await open('logs')];
    const stream = await theirs.listen();
    const other = finished(theirs.begin('sleep', { ms: 1500 }));
    await eventually(async () => (await seenBy(mine)).inFlight === 1);
    const call = await finished(mine.begin('log', { data: 'whose am I?' }));
    expect([...logMessages(call), ...logMessages(await other), ...logMessages(stream)]).toEqual([]);
  });

  test("follow each session's own level, and a shared worker is told the one that lets most through", async () => {
    const [strict, curious] = [await open('logs'), await open('logs')];
    await strict.ask('logging/setLevel', { level: 'error' });
    await curious.ask('logging/setLevel', { level: 'debug' });
    const heard = async (session: RawSession, level: string) =>
      logMessages(await finished(session.begin('log', { level }))).length;
    expect([
      await heard(strict, 'warning'),
      await heard(strict, 'error'),
      await heard(strict, 'emergency'),
    ]).toEqual([0, 1, 1]);
    expect([await heard(curious, 'debug'), await heard(curious, 'error')]).toEqual([1, 1]);
    const { level, methods } = await seenBy(strict);
    expect(level).toBe('debug');
    expect(methods['logging/setLevel']).toBe(1);
  });

  test('a level that is none is refused', async () => {
    const session = await open('logs');
    const answer = JSON.parse(await session.ask('logging/setLevel', { level: 'loud' })) as object;
    expect(answer).toMatchObject({ id: 1, error: { code: -32602 } });
  });
});

describe('handshake and ping', () => {
  test('however many clients come, a shared worker is greeted once, by the proxy', async () => {
    const [raw, ...clients] = await Promise.all([
      open('handshake', { sampling: {} }),
      ...Array.from({ length: 12 }, () => connect(proxy.url, keyOf('handshake'), { sampling: {} })),
    ]);
    await Promise.all(clients.map((client) => client.ping()));
    await Promise.all(clients.map((client) => client.listTools()));
    const again = await raw.ask('initialize', { protocolVersion: '2025-11-25', capabilities: { roots: {} } });
    expect(again).toContain('"jsonrpc"');
    const seen = await seenBy(raw);
    expect(seen).toMatchObject({
      initialize: 1,
      initialized: 1,
      pings: 0,
      batches: 0,
      clientCapabilities: {},
    });
    expect(seen.clientInfo.name).toBe('mcp-tenant-proxy');
    expect(seen.methods['ping']).toBeUndefined();
    await Promise.all(clients.map((client) => client.close()));
  });

  test('ping is answered with the id it came with, without a worker', async () => {
    const session = await open('handshake');
    const answer = await session.post('{"jsonrpc":"2.0","id":"9007199254740993","method":"ping"}');
    expect(await answer.ended).toBe('{"jsonrpc":"2.0","id":"9007199254740993","result":{}}');
  });

  test("the server's ping is answered by the proxy; no client hears of it", async () => {
    const session = await open('handshake');
    const stream = await session.listen();
    const call = await session.begin('ask', { method: 'ping', params: {} });
    expect(toolText(await answerOf(call))).toBe('{"result":{}}');
    expect(call.messages.length).toBe(1);
    await session.text('change', { list: 'prompts' });
    await untilChange(stream);
    expect(methodsOn(stream)).toEqual(['notifications/prompts/list_changed']);
  });

  test.each(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'])('%s is spoken', async (version) => {
    const session = await openRawSession(proxy.url, keyOf('handshake'), { version });
    const answer = await session.ask('initialize', { protocolVersion: version, capabilities: {} });
    expect(answer).toContain(`"protocolVersion":"${version}"`);
  });

  test('a revision that nobody knows is answered with the newest one', async () => {
    const session = await open('handshake');
    const answer = await session.ask('initialize', { protocolVersion: '1999-01-01', capabilities: {} });
    expect(answer).toContain('"protocolVersion":"2025-11-25"');
  });
});

describe("the server's questions", () => {
  const questions = [
    ['sampling/createMessage', { messages: [], maxTokens: 1 }],
    ['elicitation/create', { message: 'Your name?', requestedSchema: { type: 'object', properties: {} } }],
    ['roots/list', {}],
  ] as const;
  const everything = { sampling: {}, elicitation: {}, roots: {} };

  test('where two could be meant it is refused, and reaches nobody', async () => {
    const session = await open('shared', everything);
    const stream = await session.listen();
    const other = session.begin('sleep', { ms: 60_000 }, { id: '"other"' });
    await eventually(async () => (await seenBy(session)).inFlight >= 1);
    const call = await session.begin('ask', { method: 'sampling/createMessage', params: { messages: [] } });
    await call.ended;
    expect(call.messages.length).toBe(1);
    expect(JSON.parse(toolText(call.messages[0]!))).toMatchObject({ error: { code: -32601 } });
    await session.notify('notifications/cancelled', '{"requestId":"other"}');
    await other;
    await session.text('change', { list: 'prompts' });
    await untilChange(stream);
    expect(methodsOn(stream)).toEqual(['notifications/prompts/list_changed']);
  });

  test('roots are asked for in vain where sessions share a worker, even by a server that asks one at a time', async () => {
    const client = await answering('leased', 'ada');
    expect(await callJson(client, 'ask', { method: 'roots/list' })).toMatchObject({
      error: { code: -32601 },
    });
    await client.close();
  });

  test.each(questions)('%s is refused for a client that cannot answer it', async (method, params) => {
    const session = await open('incapable', {});
    const call = await session.begin('ask', { method, params });
    await call.ended;
    expect(call.messages.length).toBe(1);
    expect(JSON.parse(toolText(call.messages[0]!))).toMatchObject({ error: { code: -32601 } });
  });

  /** An official client that answers every question with its own name. */
  const answering = (tenant: string, name: string) =>
    connect(proxy.url, keyOf(tenant), everything, (client) => {
      const content = { type: 'text', text: `sampled by ${name}` } as const;
      client.setRequestHandler(CreateMessageRequestSchema, () => ({
        role: 'assistant',
        content,
        model: name,
      }));
      client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { name } }));
      client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: `file:///${name}` }] }));
    });

  test('on an exclusive worker each client answers its own, many at once', async () => {
    const names = ['ada', 'alan', 'grace'];
    const clients = await Promise.all(names.map((name) => answering('exclusive', name)));
    const pids = await Promise.all(clients.map(async (client) => (await callJson<Seen>(client, 'seen')).pid));
    expect(new Set(pids).size).toBe(names.length);
    for (const [at, client] of clients.entries()) {
      const name = names[at]!;
      const answers = await Promise.all(
        questions.map(([method, params]) => callJson(client, 'ask', { method, params })),
      );
      expect(answers).toMatchObject([
        { result: { model: name, content: { text: `sampled by ${name}` } } },
        { result: { action: 'accept', content: { name } } },
        { result: { roots: [{ uri: `file:///${name}` }] } },
      ]);
    }
    await Promise.all(clients.map((client) => client.close()));
  });

  test('on a shared worker a question goes to the only one who can be meant', async () => {
    const ada = await answering('alone', 'ada');
    const grace = await answering('alone', 'grace');
    for (const [client, name] of [
      [ada, 'ada'],
      [grace, 'grace'],
      [ada, 'ada'],
    ] as const)
      expect(await callJson(client, 'ask')).toMatchObject({ result: { model: name } });
    // Now that it is known to ask, those it may ask have it one after the other.
    const many = [ada, grace, ada, grace, ada].map((client) => callJson(client, 'ask'));
    expect(await Promise.all(many)).toMatchObject(
      ['ada', 'grace', 'ada', 'grace', 'ada'].map((model) => ({ result: { model } })),
    );
    await Promise.all([ada.close(), grace.close()]);
  });

  test('an exclusive worker is greeted as its client would greet it', async () => {
    const client = await answering('exclusive', 'ada');
    const seen = await callJson<Seen>(client, 'seen');
    expect(seen).toMatchObject({
      initialize: 1,
      clientInfo: { name: 'test' },
      clientCapabilities: everything,
    });
    await client.close();
  });

  test('on a leased worker a question goes to whose call is running', async () => {
    const names = ['ada', 'alan', 'grace', 'kurt'];
    const clients = await Promise.all(names.map((name) => answering('leased', name)));
    await Promise.all(
      clients.flatMap((client, at) =>
        Array.from({ length: 5 }, async () => {
          const answer = await callJson(client, 'ask');
          expect(answer).toMatchObject({ result: { model: names[at] } });
        }),
      ),
    );
    await Promise.all(clients.map((client) => client.close()));
  });
});

describe.concurrent('deadlines', () => {
  const timedOut = {
    code: -31002,
    data: { source: 'proxy', code: 'TIMED_OUT', executed: 'unknown', retryable: false },
  };

  test('a call without a sign of life ends, the worker is told, and a late answer is nobody elses', async () => {
    const session = await open('hasty');
    const late = await session.begin('sleep', { ms: 1400 }, { id: '"late"' });
    expect(late.status).toBe(200);
    const text = await answerOf(late);
    expect(text.startsWith('{"jsonrpc":"2.0","id":"late","error"')).toBe(true);
    expect(errorIn(text)).toMatchObject(timedOut);
    const seen = await seenBy(session);
    expect(seen.cancelled.length).toBe(1);
    await eventually(async () => (await seenBy(session)).inFlight === 0);
    expect(await session.text('echo', { text: 'next' })).toBe('next');
    expect((await seenBy(session)).pid).toBe(seen.pid);
  });

  test('progress keeps a call alive', async () => {
    const session = await open('hasty');
    const asked = { steps: 12, ms: 100 };
    const call = await session.begin('progress', asked, { token: '"alive"' });
    await call.ended;
    expect(call.messages.length).toBe(13);
    expect(toolText(call.messages.at(-1)!)).toContain('progressToken');
    // The same call without a token gives no sign, and shows that the first needed its own.
    expect(errorIn(await session.call('progress', asked))).toMatchObject(timedOut);
  });

  test('but not for ever', async () => {
    const session = await open('bounded');
    const call = await session.begin('progress', { steps: 500, ms: 50 }, { token: '1' });
    await call.ended;
    expect(call.messages.length).toBeGreaterThan(2);
    expect(errorIn(call.messages.at(-1)!)).toMatchObject(timedOut);
  });
});
