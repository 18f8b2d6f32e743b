import { describe, expect, test } from 'vitest';
import type { Reply } from '../../../src/calls/call.ts';
import { ProxyError } from '../../../src/calls/error.ts';
import type { Admitted, Gateway, Inbound } from '../../../src/gateway/gateway.ts';
import { answerModern, eraOf } from '../../../src/http/modern-exchange.ts';
import { readEnvelope } from '../../../src/mcp/envelope.ts';
import { type Message, readMessage } from '../../../src/mcp/message.ts';
import { messageOf } from '../calls/some-call.ts';
import { begin, pledge, requestWith, responseOf, serve } from './serving.ts';
import { text } from 'node:stream/consumers';

const modern = '2026-07-28';
const versionKey = 'io.modelcontextprotocol/protocolVersion';
const good = { [versionKey]: modern, 'io.modelcontextprotocol/clientCapabilities': {} };

describe('the era of a POST', () => {
  const era = (message: object, version?: string) =>
    eraOf(requestWith(version === undefined ? {} : { 'mcp-protocol-version': version }), messageOf(message));
  const claiming = { params: { _meta: { [versionKey]: modern } } };

  test.each([
    ['a request with a claim', { id: 1, method: 'tools/list', ...claiming }],
    ['a notification with one', { method: 'notifications/cancelled', ...claiming }],
    ['initialize with one', { id: 1, method: 'initialize', ...claiming }],
    ['a claim that is no version', { id: 1, method: 'x', params: { _meta: { [versionKey]: null } } }],
  ])('of %s is modern, whatever the header says', (_what, message) => {
    for (const version of [undefined, modern, '2025-11-25', 'nonsense'])
      expect(era(message, version)).toBe('modern');
  });

  test.each([undefined, '2025-11-25', '2024-11-05', 'nonsense', '', '9999', '2026-07-27'])(
    'of a request without a claim is legacy under the header %j',
    (version) => {
      expect(era({ id: 1, method: 'tools/list' }, version)).toBe('legacy');
      expect(era({ method: 'notifications/initialized' }, version)).toBe('legacy');
      expect(era({ id: 1, method: 'initialize' }, version)).toBe('legacy');
    },
  );

  test.each([modern, '2026-07-29', '2031-01-01'])(
    'of a request without a claim is modern under %s',
    (version) => {
      expect(era({ id: 1, method: 'tools/list' }, version)).toBe('modern');
      expect(era({ method: 'notifications/cancelled' }, version)).toBe('modern');
      expect(era({ id: 1, method: 'initialize' }, version)).toBe('modern');
    },
  );

  test('of an answer is legacy: a modern server asks nothing', () => {
    expect(era({ id: 1, result: claiming }, modern)).toBe('legacy');
  });
});

type Handle = (inbound: Inbound) => Promise<Reply>;
const reply = (own: Partial<Reply> = {}): Reply => ({
  parts: [Buffer.from('{"jsonrpc":"2.0","id":1,"result":{}}')],
  isError: false,
  ...own,
});

/** POSTs a message to an endpoint whose gateway is `handle`. */
async function posting(message: Message, headers: Record<string, string>, handle: Handle) {
  const gateway = {
    request: async (_caller: Admitted, inbound: Inbound) => ({ reply: await handle(inbound) }),
  };
  const port = await serve((request, response) => {
    const exchange = { request, response, caller: {} as Admitted };
    const openStream = () => {
      throw new Error('Nobody listens');
    };
    void answerModern(exchange, message, {
      gateway: gateway as unknown as Gateway,
      readEnvelope,
      openStream,
    });
  });
  const started = begin(port, { method: 'POST', headers });
  started.end();
  return started;
}
async function posted(
  message: Message,
  headers: Record<string, string>,
  handle: Handle = () => Promise.resolve(reply()),
) {
  const response = await responseOf(await posting(message, headers, handle));
  const body = await text(response);
  return { status: response.statusCode, headers: response.headers, body };
}
const listing = (meta: object = good) => messageOf({ id: 1, method: 'tools/list', params: { _meta: meta } });
const named = { 'mcp-protocol-version': modern, 'mcp-method': 'tools/list' };

describe('a request', () => {
  test('has its answer, and no session comes of it', async () => {
    let seen: Inbound | undefined;
    const { status, headers, body } = await posted(
      listing(),
      { ...named, 'mcp-session-id': 'abc' },
      (inbound) => {
        seen = inbound;
        return Promise.resolve(reply());
      },
    );
    expect([status, body]).toEqual([200, '{"jsonrpc":"2.0","id":1,"result":{}}']);
    expect(headers).not.toHaveProperty('mcp-session-id');
    expect(seen!.sessionId).toBeUndefined();
    expect(seen!.visit!.envelope).toEqual({ version: modern, capabilities: {}, logLevel: undefined });
  });

  test.each([
    [-32601, 404],
    [-32021, 400],
    [-32020, 400],
    [-32022, 400],
    [-32602, 200],
    [-32603, 200],
    [-32000, 200],
  ])('that its server answers with error %i has status %i', async (errorCode, status) => {
    const answered = await posted(listing(), named, () =>
      Promise.resolve(reply({ isError: true, errorCode })),
    );
    expect(answered.status).toBe(status);
  });

  test('that fails after something was said has its error at the end of the stream', async () => {
    const { status, headers, body } = await posted(listing(), named, (inbound) => {
      inbound.tell([Buffer.from('{"progress":1}')]);
      return Promise.reject(new ProxyError('CRASHED', 'It ended'));
    });
    expect([status, headers['content-type']]).toEqual([200, 'text/event-stream']);
    expect(body.split('\n').filter((line) => line.startsWith('data: '))).toEqual([
      'data: {"progress":1}',
      expect.stringContaining('"code":-31001') as string,
    ]);
  });

  test('whose client hangs up is cancelled', async () => {
    const began = pledge();
    const ended = pledge<string>();
    const started = await posting(listing(), named, async ({ visit }) => {
      began.resolve(undefined);
      return new Promise((_resolve, reject) => {
        visit!.cancellation.listen((reason) => {
          ended.resolve(reason.code);
          reject(reason);
        });
      });
    });
    await began.promise;
    started.destroy();
    expect(await ended.promise).toBe('CANCELLED');
  });

  test('that was answered is not cancelled afterwards', async () => {
    let visit: Inbound['visit'];
    await posted(listing(), named, (inbound) => {
      visit = inbound.visit;
      return Promise.resolve(reply());
    });
    expect(visit!.cancellation.reason).toBeUndefined();
  });
});

test('`initialize` under a modern header is refused, with the id it came with', async () => {
  const { status, body } = await posted(messageOf({ id: 'é', method: 'initialize', params: {} }), {
    'mcp-protocol-version': modern,
  });
  expect(status).toBe(400);
  expect(JSON.parse(body)).toMatchObject({
    id: 'é',
    error: { code: -32020, message: expect.stringContaining('initialize') as string },
  });
});

test('a notification is heard, whatever its headers, and reaches nobody', async () => {
  for (const headers of [{}, named]) {
    const { status, body } = await posted(
      readMessage(Buffer.from('{"jsonrpc":"2.0","method":"notifications/cancelled"}')),
      headers,
      () => Promise.reject(new Error('It came through')),
    );
    expect([status, body]).toEqual([202, '']);
  }
});
