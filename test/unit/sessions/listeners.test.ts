import { describe, expect, test } from 'vitest';
import type { TenantId } from '../../../src/calls/ids.ts';
import type { ServerFacts } from '../../../src/mcp/handshake.ts';
import type { ListenFilter } from '../../../src/mcp/listen-filter.ts';
import { type ListenerBounds, Listeners } from '../../../src/sessions/listeners.ts';
import { messageOf, someCall } from '../calls/some-call.ts';
import { readMessage } from '../../../src/mcp/message.ts';
import { createStream } from './some-stream.ts';

const other = 'other' as TenantId;
const all: ListenFilter = { tools: true, prompts: true, resources: true, uris: ['test://a'] };
const facts = {
  discover: { capabilities: { tools: { listChanged: true } } },
  identity: '{"name":"s"}',
} as unknown as ServerFacts;
const change = readMessage(Buffer.from('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'));
const methodOf = (text: string) => (JSON.parse(text) as { method?: string }).method ?? 'the answer';
const acknowledged = 'notifications/subscriptions/acknowledged';

function someLine() {
  const reasons: string[] = [];
  return { reasons, hangUp: (reason: string) => void reasons.push(reason) };
}

function place(bounds: Partial<ListenerBounds> = {}) {
  const listeners = new Listeners({ max: 10, maxPerTenant: 5, ...bounds });
  /** Opens one; `stream` is not made before it is needed. */
  const open = (own: { tenantId?: TenantId; keyName?: string } = {}, filter = all) => {
    const stream = createStream();
    let streams = 0;
    const call = someCall({ ...own, message: messageOf({ id: 7, method: 'subscriptions/listen' }) });
    const listener = listeners.open(call, filter, facts, () => {
      streams++;
      return stream;
    });
    const line = someLine();
    return { listener, stream, line, streams: () => streams, begin: () => listeners.begin(listener, line) };
  };
  return { listeners, open };
}

describe('who listens', () => {
  test('is told first what will be heard: as much of it as the server can tell', () => {
    const { open } = place();
    const { listener, stream, begin, streams } = open();
    listener.hear(change);
    expect([stream.heard, streams()]).toEqual([[], 0]);
    begin();
    listener.hear(change);
    expect(stream.heard.map(methodOf)).toEqual([acknowledged, 'notifications/tools/list_changed']);
    expect(JSON.parse(stream.heard[0]!)).toMatchObject({
      params: { notifications: { toolsListChanged: true } },
    });
    expect(streams()).toBe(1);
  });

  test('to what the server cannot tell is told so, and dismissed', () => {
    const { open, listeners } = place();
    const { stream, line, begin } = open({}, { ...all, tools: false });
    begin();
    expect(stream.heard.map(methodOf)).toEqual([acknowledged, 'the answer']);
    expect([stream.isClosed(), line.reasons.length, listeners.size]).toEqual([true, 1, 0]);
  });

  test('and goes is forgotten: the server hears of it, the stream is closed, a second time nothing', () => {
    const { open, listeners } = place();
    const { listener, stream, line, begin } = open();
    begin();
    listeners.close(listener);
    listeners.close(listener);
    expect([stream.isClosed(), line.reasons.length, listeners.size]).toEqual([true, 1, 0]);
    listener.hear(change);
    expect(stream.heard.map(methodOf)).toEqual([acknowledged]);
  });

  test('and went before it began has no stream made for it', () => {
    const { open, listeners } = place();
    const { listener, streams } = open();
    listeners.close(listener);
    expect([streams(), listeners.size]).toEqual([0, 0]);
  });
});

describe('who must go', () => {
  test('gets the answer to its request, and others hear on', () => {
    const { open, listeners } = place();
    const revoked = open({ keyName: 'desktop' });
    const kept = open();
    for (const { begin } of [revoked, kept]) begin();
    listeners.endWhere(({ keyName }) => keyName === 'desktop');
    expect(revoked.stream.heard.map(methodOf)).toEqual([acknowledged, 'the answer']);
    expect([revoked.stream.isClosed(), kept.stream.isClosed(), listeners.size]).toEqual([true, false, 1]);
    kept.listener.hear(change);
    expect(kept.stream.heard).toHaveLength(2);
  });

  test('before it began is refused, and not left without a word', () => {
    const { open, listeners } = place();
    const { begin, line, streams } = open();
    listeners.endWhere(() => true);
    expect(begin).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }) as Error);
    expect([line.reasons.length, streams()]).toEqual([1, 0]);
  });
});

describe('so many may listen', () => {
  const refusal = (code: string) => expect.objectContaining({ code, retryAfterMs: 5000 }) as Error;

  test('of one tenant, which takes no place from another', () => {
    const { open, listeners } = place({ maxPerTenant: 2 });
    const first = open();
    open();
    expect(() => open()).toThrow(refusal('TENANT_BUSY'));
    open({ tenantId: other });
    listeners.close(first.listener);
    open();
    expect(() => open()).toThrow(refusal('TENANT_BUSY'));
    expect(listeners.size).toBe(3);
  });

  test('of all together', () => {
    const { open, listeners } = place({ max: 2 });
    const { listener } = open();
    open({ tenantId: other });
    expect(() => open()).toThrow(refusal('OVERLOADED'));
    listeners.close(listener);
    expect(() => open()).not.toThrow();
  });
});
