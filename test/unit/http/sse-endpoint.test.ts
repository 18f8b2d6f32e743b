import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Admitted, Gateway } from '../../../src/gateway/gateway.ts';
import { SseEndpoint } from '../../../src/http/sse-endpoint.ts';
import { acme } from '../calls/some-call.ts';
import { begin, responseOf, serve } from './serving.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Anybody may come in here; what happens after that is not asked. */
const gateway = {
  admit: () => ({ principal: { tenantId: acme, keyName: 'laptop' } }) as Admitted,
} as unknown as Gateway;

test('a client that opens a stream and says nothing is let go', async () => {
  const endpoint = new SseEndpoint({
    gateway,
    maxBody: 1,
    maxDepth: 1,
    maxPerTenant: 1,
    isDraining: () => false,
    remoteOf: () => '127.0.0.1',
    refused: () => undefined,
  });
  const port = await serve((request, response) => {
    endpoint.open(request, response, undefined);
  });
  const started = begin(port, { headers: { accept: 'text/event-stream' } });
  started.end();
  const heard = await responseOf(started);
  let text = '';
  heard.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  await vi.waitUntil(() => text.includes('endpoint'));
  const ended = new Promise((resolve) => heard.once('end', resolve));
  vi.advanceTimersByTime(29_000);
  expect(heard.complete).toBe(false);
  vi.advanceTimersByTime(1000);
  await ended;
  endpoint.close();
});
