import { expect, test } from 'vitest';
import { urlQuestions } from '../../../src/bridge/url-questions.ts';
import { responseWith } from './some-response.ts';

const asked = (data: unknown) => {
  const text = urlQuestions(
    responseWith(`"error":${JSON.stringify({ code: -32042, message: 'm', data })}`),
    Buffer.from('"é"').toString('latin1'),
  );
  return text && (JSON.parse(text.toString()) as unknown);
};
const page = (n: number) => ({
  mode: 'url',
  elicitationId: `e${n}`,
  message: `Öffne ${n}`,
  url: `https://example.com/${n}`,
});

test('pages that a server of 2025-11-25 wants opened are questions of 2026-07-28, which have no ids', () => {
  expect(asked({ elicitations: [page(1), page(2)] })).toEqual({
    jsonrpc: '2.0',
    id: 'é',
    result: {
      resultType: 'input_required',
      inputRequests: Object.fromEntries(
        [1, 2].map((n) => [
          `r${n}`,
          {
            method: 'elicitation/create',
            params: { mode: 'url', message: `Öffne ${n}`, url: `https://example.com/${n}` },
          },
        ]),
      ),
    },
  });
});

test('what is no page among them is passed over', () => {
  const { result } = asked({ elicitations: [null, 7, {}, { url: 7 }, page(1)] }) as {
    result: { inputRequests: object };
  };
  expect(Object.keys(result.inputRequests)).toEqual(['r1']);
});

test.each([
  undefined,
  null,
  'text',
  {},
  { elicitations: {} },
  { elicitations: [] },
  { elicitations: [null] },
])('a server that names no page (%j) asks nothing', (data) => {
  expect(asked(data)).toBeUndefined();
});
