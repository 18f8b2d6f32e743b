import { describe, expect, test } from 'vitest';
import {
  canAnswer,
  canBeAsked,
  isQuestion,
  neededCapability,
  outcomeOf,
  questionMessage,
  questionParams,
  readInputRequired,
} from '../../../src/bridge/questions.ts';
import { oddMembers, responseOf, responseWith } from './some-response.ts';

const elicit = 'elicitation/create';
const sample = 'sampling/createMessage';
const roots = 'roots/list';
const url = { mode: 'url' };
const form = { mode: 'form' };
const tools = { tools: [] };
const choice = { toolChoice: { mode: 'none' } };

test('what a server may ask', () => {
  expect([elicit, sample, roots, 'ping', 'tools/call', ''].map(isQuestion)).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});

test.each([
  [{ sampling: {} }, true],
  [{ elicitation: { url: {} } }, true],
  [{ roots: { listChanged: true } }, true],
  [{}, false],
  [{ experimental: {}, extensions: {}, roots: true, sampling: null }, false],
])('a client that declares %j may be asked something: %j', (capabilities, isAsked) => {
  expect(canBeAsked(capabilities)).toBe(isAsked);
});

describe('a client may be asked', () => {
  test.each([
    [{ elicitation: {} }, elicit, {}],
    [{ elicitation: {} }, elicit, form],
    [{ elicitation: { form: {} } }, elicit, form],
    [{ elicitation: { form: {}, url: {} } }, elicit, form],
    [{ elicitation: { form: {}, url: {} } }, elicit, url],
    [{ elicitation: { url: {} } }, elicit, url],
    [{ sampling: {} }, sample, {}],
    [{ sampling: { tools: {} } }, sample, tools],
    [{ roots: {} }, roots, {}],
    [{ roots: { listChanged: true } }, roots, {}],
  ])('who declares %j, %s with %j', (capabilities, method, params) => {
    expect(canAnswer(capabilities, method, params)).toBe(true);
  });

  test.each([
    [{}, elicit, {}],
    [{ elicitation: null }, elicit, {}],
    [{ elicitation: true }, elicit, {}],
    [{ elicitation: [] }, elicit, {}],
    [{ elicitation: {} }, elicit, url],
    [{ elicitation: { form: {} } }, elicit, url],
    [{ elicitation: { url: {} } }, elicit, form],
    [{ elicitation: { url: {} } }, elicit, {}],
    [{ sampling: {} }, sample, tools],
    [{ sampling: {} }, sample, choice],
    [{ sampling: { context: {} } }, sample, tools],
    [{ elicitation: {} }, sample, {}],
    [{ sampling: {} }, roots, {}],
    [{ elicitation: {}, sampling: {}, roots: {} }, 'tools/call', {}],
    [Object.create({ elicitation: {} }) as object, elicit, {}],
  ])('but not who declares %j, %s with %j', (capabilities, method, params) => {
    expect(canAnswer({ ...capabilities }, method, params)).toBe(false);
  });

  test('what it lacks is said as the capabilities it would have to declare', () => {
    expect(neededCapability(elicit, {})).toEqual({ elicitation: { form: {} } });
    expect(neededCapability(elicit, form)).toEqual({ elicitation: { form: {} } });
    expect(neededCapability(elicit, url)).toEqual({ elicitation: { url: {} } });
    expect(neededCapability(sample, {})).toEqual({ sampling: {} });
    expect(neededCapability(sample, tools)).toEqual({ sampling: { tools: {} } });
    expect(neededCapability(sample, choice)).toEqual({ sampling: { tools: {} } });
    expect(neededCapability(roots, {})).toEqual({ roots: {} });
    expect(neededCapability('ping', {})).toBeUndefined();
  });
});

describe('a result that came to input_required', () => {
  test('is read to the byte', () => {
    const read = readInputRequired(
      responseWith(
        `"result":{"inputRequests":{"\\u00e9":{"method":"elicitation/create","params":{${oddMembers}}},"b":{"method":"roots/list"}},"resultType":"input_required","requestState":"s\\u0074"}`,
      ),
    )!;
    expect(read.state).toBe('"s\\u0074"');
    expect(read.questions.map(({ key, method }) => [key, method])).toEqual([
      ['é', elicit],
      ['b', roots],
    ]);
    expect(Buffer.from(read.questions[0]!.params!, 'latin1').toString()).toBe(`{${oddMembers}}`);
    expect(read.questions[1]!.params).toBeUndefined();
  });

  test.each([{}, { resultType: 'complete' }, { resultType: ['input_required'] }])(
    '%j is complete',
    (result) => {
      expect(readInputRequired(responseOf(result))).toBeUndefined();
    },
  );

  test.each([
    [{}, []],
    [{ inputRequests: [1] }, []],
    [{ inputRequests: { a: 7 } }, [{ key: 'a', method: '' }]],
    [{ inputRequests: { a: { method: 7 } } }, [{ key: 'a', method: '7' }]],
  ])('of a sloppy server (%j) is read as far as it goes', (own, questions) => {
    expect(readInputRequired(responseOf({ resultType: 'input_required', ...own }))).toEqual({ questions });
  });
});

describe('a question to a legacy client', () => {
  const asked = (method: string, params?: string) =>
    questionMessage({ key: 'k', method, params: params && Buffer.from(params).toString('latin1') });
  const textOfQuestion = (method: string, params?: string) => asked(method, params)!.bytes.toString();

  test('is a request with the server’s own words', () => {
    expect(textOfQuestion(elicit, `{${oddMembers}}`)).toBe(
      `{"jsonrpc":"2.0","id":0,"method":"elicitation/create","params":{${oddMembers}}}`,
    );
    expect(textOfQuestion(roots)).toBe('{"jsonrpc":"2.0","id":0,"method":"roots/list"}');
  });

  test('to open a page gets an id, each its own, unless it has one', () => {
    const idOf = (params: string) => questionParams(asked(elicit, params)!)['elicitationId'];
    const page = '{"mode":"url","url":"https://example.com"}';
    expect(idOf(page)).toMatch(/^[0-9a-f-]{36}$/);
    expect(idOf(page)).not.toBe(idOf(page));
    expect(idOf('{"mode":"url","elicitationId":"own"}')).toBe('own');
    expect(idOf('{"mode":"form"}')).toBeUndefined();
  });

  test('that is none is not asked, whatever its name', () => {
    for (const method of ['', 'tools/call', 'ping', '\u0100\u0122'])
      expect(asked(method, '{"mode":"url"}')).toBeUndefined();
  });

  test('has params in any case', () => {
    expect(questionParams(asked(roots)!)).toEqual({});
    expect(questionParams(asked(roots, '[1]')!)).toEqual({});
  });
});

test('what a client answered is kept to the byte; no answer at all is an error', () => {
  const text = (outcome: object) => Buffer.from(Object.values(outcome)[0] as string, 'latin1').toString();
  expect(text(outcomeOf(responseWith(`"result":{${oddMembers}}`)))).toBe(`{${oddMembers}}`);
  expect(outcomeOf(responseWith('"error":{"code":-1,"message":"no"}'))).toEqual({
    error: '{"code":-1,"message":"no"}',
  });
});
