import { describe, expect, test } from 'vitest';
import { readEnvelope } from '../../../src/mcp/envelope.ts';
import { type Message, paramsOf } from '../../../src/mcp/message.ts';
import type { AttachedLine } from '../../../src/workers/attached-line.ts';
import { createModernListen } from '../../../src/workers/modern-listen.ts';
import { messageOf } from '../calls/some-call.ts';
import { oddMembers } from '../bridge/some-response.ts';
import { readMessage } from '../../../src/mcp/message.ts';

const key = 'io.modelcontextprotocol/subscriptionId';
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A modern worker with sessions on it that want to hear of these resources. */
function worker(...wanted: string[][]) {
  const lines = wanted.map((uris) => ({ subscriptions: new Set(uris) }));
  const requests: Message[] = [];
  const cancelled: number[] = [];
  const listen = createModernListen({
    lines: lines as unknown as AttachedLine[],
    request: (message) => requests.push(message),
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

test('a message that is about nothing is no reason to stop', () => {
  const { listen } = worker([]);
  expect(listen.hear(messageOf({ method: 'x', params: [] }))).toBeDefined();
});
