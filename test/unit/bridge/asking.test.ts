import { describe, expect, test } from 'vitest';
import { askAlong } from '../../../src/bridge/asking.ts';
import type { InputRequest, InputRequired } from '../../../src/bridge/questions.ts';
import { Cancellation, type Reply } from '../../../src/calls/call.ts';
import { ProxyError } from '../../../src/calls/error.ts';
import type { Caller } from '../../../src/calls/upstream.ts';
import { acme, messageOf, someCall } from '../calls/some-call.ts';
import { oddMembers } from './some-response.ts';

const bytes = (text: string) => Buffer.from(text).toString('latin1');
const elicit = (key = 'k'): InputRequest => ({
  key,
  method: 'elicitation/create',
  params: bytes('{"message":"Größe?"}'),
});
const required = (questions: readonly InputRequest[], state?: string): InputRequired => ({
  questions,
  state: state && bytes(state),
});
const done: Reply = { parts: [Buffer.from('done')], isError: false };

interface Asked {
  readonly text: string;
  readonly answer: (body: string) => void;
}

/** A client with a session that is asked `max` things and no more. */
function someClient(capabilities: object = { elicitation: {}, sampling: {} }, max = 64) {
  const asked: Asked[] = [];
  const withdrawn: string[] = [];
  const caller: Caller = {
    tenantId: acme,
    keyName: 'laptop',
    capabilities: { ...capabilities },
    isListening: true,
    hear: () => undefined,
    ask(request, _call, answer) {
      if (asked.length >= max) return undefined;
      const text = request.bytes.toString();
      asked.push({ text, answer: (body) => answer([Buffer.from(`{"jsonrpc":"2.0","id":0,${body}}`)]) });
      return { withdraw: () => withdrawn.push(text) };
    },
  };
  return { caller, asked, withdrawn };
}

/** A server that wants to know these things, one after the other, and is done. */
function someServer(...further: InputRequired[]) {
  const rounds: string[] = [];
  const left = [...further];
  const round = (text: string): Promise<Reply | InputRequired> => {
    rounds.push(text);
    return Promise.resolve(left.shift() ?? done);
  };
  return { round, rounds };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const call = someCall({ message: messageOf({ id: 'é', method: 'tools/call' }) });
const errorOf = ({ parts }: Reply) =>
  JSON.parse(Buffer.concat(parts).toString()) as { id: unknown; error: { code: number; message: string } };

describe('what a modern server wants to know', () => {
  test('a legacy client is asked, all at once, and the call is made again with the answers to the byte', async () => {
    const { caller, asked } = someClient();
    const { round, rounds } = someServer();
    const sampling = { key: 'é"', method: 'sampling/createMessage', params: undefined };
    const reply = askAlong(caller, call, required([elicit(), sampling], '"own \\u0073tate é"'), round);
    expect(asked.map(({ text }) => text)).toEqual([
      '{"jsonrpc":"2.0","id":0,"method":"elicitation/create","params":{"message":"Größe?"}}',
      '{"jsonrpc":"2.0","id":0,"method":"sampling/createMessage"}',
    ]);
    asked[1]!.answer('"result":{"second":1}');
    await turn();
    expect(rounds).toEqual([]);
    asked[0]!.answer(`"result":{${oddMembers}}`);
    expect(await reply).toBe(done);
    expect(rounds).toEqual([
      `"inputResponses":{"k":{${oddMembers}},"é\\"":{"second":1}},"requestState":"own \\u0073tate é"`,
    ]);
  });

  test('is asked round after round, each with its own answers and state only', async () => {
    const { caller, asked } = someClient();
    const { round, rounds } = someServer(required([elicit('b')], '"two"'), required([elicit('c')]));
    const reply = askAlong(caller, call, required([elicit('a')], '"one"'), round);
    for (let n = 0; n < 3; n++) {
      asked[n]!.answer(`"result":{"n":${n}}`);
      await turn();
    }
    expect(await reply).toBe(done);
    expect(rounds).toEqual([
      '"inputResponses":{"a":{"n":0}},"requestState":"one"',
      '"inputResponses":{"b":{"n":1}},"requestState":"two"',
      '"inputResponses":{"c":{"n":2}}',
    ]);
  });

  test('may be nothing: then the call is made again at once', async () => {
    const { round, rounds } = someServer();
    expect(await askAlong(someClient().caller, call, required([], '"s"'), round)).toBe(done);
    expect(rounds).toEqual(['"inputResponses":{},"requestState":"s"']);
  });

  test('comes to an end: after eight rounds the call fails', async () => {
    const { round, rounds } = someServer(...Array.from({ length: 20 }, () => required([])));
    const reply = await askAlong(someClient().caller, call, required([]), round);
    expect(rounds).toHaveLength(8);
    expect(errorOf(reply)).toMatchObject({ id: 'é', error: { code: -32603 } });
    expect(reply.isError).toBe(true);
  });
});

describe('the call ends', () => {
  test('with the error that the client gave', async () => {
    const { caller, asked } = someClient();
    const { round, rounds } = someServer();
    const reply = askAlong(caller, call, required([elicit()]), round);
    asked[0]!.answer('"error":{"code":-1,"message":"Möchte nicht","data":{"a":1}}');
    expect(errorOf(await reply)).toEqual({
      jsonrpc: '2.0',
      id: 'é',
      error: { code: -1, message: 'Möchte nicht', data: { a: 1 } },
    });
    expect(rounds).toEqual([]);
  });

  test.each([
    ['what the client has not declared', elicit(), someClient({})],
    ['a page of a client that has only forms', { ...elicit(), params: '{"mode":"url"}' }, someClient()],
    ['what is no question', { ...elicit(), method: 'tools/call' }, someClient()],
    ['what has no name a client could know', { ...elicit(), method: '\u0100' }, someClient()],
    ['a client that has too much to answer', elicit(), someClient({ elicitation: {} }, 0)],
  ])('if the server asks for %s', async (_what, question, { caller, asked }) => {
    const { round, rounds } = someServer();
    const reply = await askAlong(caller, call, required([question]), round);
    expect(errorOf(reply).error.code).toBe(-32603);
    expect([asked.length, rounds.length]).toEqual([0, 0]);
  });
});

describe('a call that is cancelled', () => {
  const reason = new ProxyError('CANCELLED', 'The client cancelled the call');

  test('while several questions are open ends at once, and they are taken back', async () => {
    const { caller, asked, withdrawn } = someClient();
    const cancellation = new Cancellation();
    const { round, rounds } = someServer();
    const questions = required([elicit('a'), elicit('b'), elicit('c')]);
    const reply = askAlong(caller, someCall({ cancellation }), questions, round);
    asked[1]!.answer('"result":{}');
    cancellation.cancel(reason);
    await expect(reply).rejects.toBe(reason);
    expect(withdrawn).toEqual([asked[0]!.text, asked[2]!.text]);
    expect(rounds).toEqual([]);
  });

  test('before it comes to its questions asks none', async () => {
    const { caller, asked } = someClient();
    const cancellation = new Cancellation();
    cancellation.cancel(reason);
    const reply = askAlong(caller, someCall({ cancellation }), required([elicit()]), someServer().round);
    await expect(reply).rejects.toBe(reason);
    expect(asked).toEqual([]);
  });
});
