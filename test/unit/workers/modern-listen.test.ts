import { describe, expect, test } from 'vitest';
import { readEnvelope } from '../../../src/mcp/envelope.ts';
import { type Message, paramsOf } from '../../../src/mcp/message.ts';
import type { AttachedLine } from '../../../src/workers/attached-line.ts';
import { ModernListen } from '../../../src/workers/modern-listen.ts';
import { messageOf } from '../calls/some-call.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { oddMembers, responseOf, responseWith } from '../bridge/some-response.ts';
import { readMessage } from '../../../src/mcp/message.ts';

const key = 'io.modelcontextprotocol/subscriptionId';
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A modern worker with sessions on it that want to hear of these resources. */
function worker(...wanted: string[][]) {
  const lines = wanted.map((uris) => ({ subscriptions: new Set(uris) }));
  const requests: Message[] = [];
  const cancelled: number[] = [];
  const answers: ((response: Message | undefined) => void)[] = [];
  const clock = createFakeClock();
  const listen = new ModernListen({
    clock,
    lines: lines as unknown as AttachedLine[],
    request: (message, answered) => {
      answers.push(answered);
      return requests.push(message);
    },
    cancel: (id) => cancelled.push(id),
  });
  const hear = (text: string) => listen.hear(readMessage(Buffer.from(text)))?.bytes.toString();
  const about = (id: unknown, method = 'notifications/tools/list_changed') =>
    hear(JSON.stringify({ jsonrpc: '2.0', method, params: { _meta: { [key]: id } } }));
  return {
    lines,
    cancelled,
    listen,
    hear,
    about,
    acknowledge: (id: number) => about(id, 'notifications/subscriptions/acknowledged'),
    refresh: async () => {
      listen.refresh();
      await turn();
    },
    asked: () => requests.map((message) => paramsOf(message)['notifications']),
    requests,
    clock,
    answer: (id: number, response: Message | undefined) => answers[id - 1]!(response),
    callOff: (id: unknown) => {
      const params = { requestId: id };
      return hear(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params }));
    },
  };
}
const lists = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
const plain = '{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{}}';

describe('a modern worker', () => {
  test('is asked for all that its sessions want to hear, in one request', async () => {
    const { refresh, asked, requests } = worker(['b', 'a'], ['a', 'é'], []);
    await refresh();
    expect(asked()).toEqual([{ ...lists, resourceSubscriptions: ['b', 'a', 'é'] }]);
    expect(requests[0]).toMatchObject({ method: 'subscriptions/listen' });
    expect(readEnvelope(requests[0]!)).toMatchObject({ version: '2026-07-28', capabilities: {} });
  });

  test('is asked once for many changes in one turn, and not again for none', async () => {
    const { listen, refresh, asked, lines } = worker([]);
    listen.refresh();
    lines[0]!.subscriptions.add('a');
    listen.refresh();
    await turn();
    await refresh();
    lines[0]!.subscriptions.delete('a');
    lines[0]!.subscriptions.add('a');
    await refresh();
    expect(asked()).toEqual([{ ...lists, resourceSubscriptions: ['a'] }]);
  });

  test('is asked at once where a call is about to be sent, and not again', async () => {
    const { listen, asked } = worker(['a']);
    listen.settle();
    expect(asked()).toEqual([]);
    listen.refresh();
    listen.settle();
    expect(asked()).toEqual([{ ...lists, resourceSubscriptions: ['a'] }]);
    await turn();
    expect(asked()).toHaveLength(1);
  });

  test('is asked anew when others are wanted, and what was before is called off once that is acknowledged', async () => {
    const { refresh, asked, lines, cancelled, acknowledge } = worker(['a']);
    await refresh();
    acknowledge(1);
    expect(cancelled).toEqual([]);
    lines[0]!.subscriptions.add('b');
    await refresh();
    lines[0]!.subscriptions.delete('a');
    await refresh();
    expect(asked()).toHaveLength(3);
    expect(acknowledge(2)).toBeUndefined();
    expect(cancelled).toEqual([]);
    acknowledge(3);
    expect(cancelled).toEqual([1, 2]);
    acknowledge(3);
    expect(cancelled).toEqual([1, 2]);
  });
});

describe('what it tells', () => {
  test('is heard as for everybody: the number of the proxy’s own request is nothing to clients', async () => {
    const { refresh, acknowledge, about, hear } = worker([]);
    await refresh();
    expect(acknowledge(1)).toBeUndefined();
    expect(about(1)).toBe(plain);
    expect(
      hear(
        `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a","_meta":{"${key}":1,${oddMembers}},${oddMembers}}}`,
      ),
    ).toBe(
      `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a","_meta":{${oddMembers}},${oddMembers}}}`,
    );
  });

  test.each([
    '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info"}}',
    '{"jsonrpc":"2.0","method":"notifications/message","params":{"_meta":{"x/y":1}}}',
    '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}',
  ])('%s, which is of no listening, is passed on as it is', (text) => {
    expect(worker([]).hear(text)).toBe(text);
  });

  test('is missed at no time: until another request is acknowledged, all news comes under the one before', async () => {
    const { refresh, acknowledge, about, lines } = worker(['a']);
    await refresh();
    acknowledge(1);
    lines[0]!.subscriptions.add('b');
    await refresh();
    expect(about(1)).toBe(plain);
    acknowledge(2);
    expect(about(2)).toBe(plain);
  });

  test('is told once: what still comes under one that was called off is dropped', async () => {
    const { refresh, acknowledge, about, lines } = worker(['a']);
    await refresh();
    acknowledge(1);
    lines[0]!.subscriptions.add('b');
    await refresh();
    acknowledge(2);
    expect([about(1), about(666)]).toEqual([undefined, undefined]);
  });

  test('is heard of a server too that never acknowledges', async () => {
    const { refresh, about } = worker([]);
    await refresh();
    expect(about(1)).toBe(plain);
  });
});

describe('a server that ends the listening', () => {
  const ways: [string, (one: ReturnType<typeof worker>, id: number) => void][] = [
    ['with its answer', ({ answer }, id) => answer(id, responseOf({}))],
    ['with an error', ({ answer }, id) => answer(id, responseWith('"error":{"code":-32603,"message":"m"}'))],
    ['by calling it off', ({ callOff }, id) => expect(callOff(id)).toBeUndefined()],
  ];

  test.each(ways)('%s is asked again, and its news is heard as before', async (_way, end) => {
    const one = worker(['a']);
    await one.refresh();
    one.acknowledge(1);
    end(one, 1);
    await one.refresh();
    expect(one.requests).toHaveLength(1);
    one.clock.advance(1000);
    expect(one.asked()).toEqual(Array(2).fill({ ...lists, resourceSubscriptions: ['a'] }));
    one.acknowledge(2);
    expect(one.about(2)).toBe(plain);
  });

  test('time and again is asked ever later, and soon again once it has kept to it', async () => {
    const { refresh, requests, clock, answer } = worker([]);
    await refresh();
    for (const waitMs of [1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1000)) {
      const before = requests.length;
      answer(before, responseOf({}));
      clock.advance(waitMs / 2 - 1);
      expect(requests).toHaveLength(before);
      clock.advance(waitMs / 2 + 1);
      expect(requests).toHaveLength(before + 1);
    }
    clock.advance(60_000);
    answer(9, responseOf({}));
    clock.advance(1000);
    expect(requests).toHaveLength(10);
  });

  test('is asked at once when something else is wanted', async () => {
    const { refresh, requests, clock, answer, lines } = worker([]);
    await refresh();
    answer(1, responseOf({}));
    lines[0]!.subscriptions.add('a');
    await refresh();
    clock.advance(60_000);
    expect(requests).toHaveLength(2);
  });

  test('that was replaced, and not called off yet, is not asked again for it', async () => {
    const { refresh, requests, clock, answer, acknowledge, lines, cancelled, about } = worker([]);
    await refresh();
    acknowledge(1);
    lines[0]!.subscriptions.add('a');
    await refresh();
    answer(1, responseOf({}));
    clock.advance(60_000);
    expect(requests).toHaveLength(2);
    expect(about(2)).toBe(plain);
    acknowledge(2);
    expect(cancelled).toEqual([]);
  });

  test.each([
    ['does not know such a request', responseWith('"error":{"code":-32601,"message":"m"}')],
    ['is gone', undefined],
  ])('because it %s is not asked again', async (_why, response) => {
    const { refresh, requests, clock, answer } = worker([]);
    await refresh();
    answer(1, response);
    clock.advance(600_000);
    expect(requests).toHaveLength(1);
  });

  test('and ends itself is not asked again', async () => {
    const { refresh, requests, clock, answer, listen } = worker([]);
    await refresh();
    answer(1, responseOf({}));
    listen.close();
    clock.advance(60_000);
    expect(requests).toHaveLength(1);
  });

  test.each([7, '1', null])('is not what calling off %j means', async (id) => {
    const { refresh, callOff } = worker([]);
    await refresh();
    expect(callOff(id)).toContain('notifications/cancelled');
  });
});

test('a message that is about nothing is no reason to stop', () => {
  const { listen } = worker([]);
  expect(listen.hear(messageOf({ method: 'x', params: [] }))).toBeDefined();
});
