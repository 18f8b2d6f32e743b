/* eslint-disable @typescript-eslint/no-deprecated -- old clients are what this is about */
import { Client as ModernClient, SSEClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import {
  CreateMessageRequestSchema,
  type ClientCapabilities,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { callText } from '../support/clients.ts';
import { eventually } from '../support/eventually.ts';
import {
  answerLine,
  errorIn,
  type Exchange,
  mcpHeaders,
  openRawSession,
  send,
} from '../support/raw-session.ts';
import { startRelay } from '../support/relay.ts';
import { getStream, openSse } from '../support/sse-session.ts';
import { fixture, type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

const oneWorker = 'pool: { max: 1 }';
const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');
const echo = `command: ${JSON.stringify(process.execPath)}, args: [${JSON.stringify(fixture('echo'))}]`;
const secondKey = 'mcpx_test_of_a_colleague_0000000000000000000000000000';

let proxy: RunningProxy;

beforeAll(async () => {
  proxy = await startProxy({
    config: 'limits: { body: 64KiB }\nsessions: { maxPerTenant: 3 }',
    tenants: {
      acme: tenantYaml('acme', 'echo', oneWorker),
      globex: tenantYaml('globex', 'echo', oneWorker),
      asking: tenantYaml('asking', 'echo', 'pool: { sharing: exclusive, max: 3 }'),
      crowded: tenantYaml('crowded', 'echo', oneWorker),
      seen: tenantYaml('seen', 'echo', oneWorker),
      slow: tenantYaml('slow', 'echo', oneWorker),
      several: `tenant: several\nservers:\n  connect: { ${echo}, env: { CANARY: connect } }\n  other: { ${echo}, env: { CANARY: other } }\n`,
    },
  });
  const own = `[{ name: test, sha256: ${sha256(proxy.keys['acme']!)} }, { name: colleague, sha256: ${sha256(secondKey)} }]`;
  proxy.write('acme', `${tenantYaml('acme', 'echo', oneWorker)}\nkeys: ${own}\n`);
  await eventually(async () => (await getStream(at('/sse'), secondKey)).status === 200);
});

afterAll(() => proxy.stop());

const at = (path: string) => new URL(path, proxy.url).href;
const keyOf = (tenant: string) => proxy.keys[tenant]!;

async function connectOfficial(
  url: string,
  key: string,
  capabilities: ClientCapabilities = {},
  prepare: (client: Client) => void = () => undefined,
): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, { capabilities });
  prepare(client);
  const headers = { Authorization: `Bearer ${key}` };
  await client.connect(new SSEClientTransport(new URL(url), { requestInit: { headers } }));
  onTestFinished(() => client.close());
  return client;
}

describe('the official client of HTTP+SSE', () => {
  test.each(['/sse', '/sse/default', '/mcp/connect'])('works at %s', async (path) => {
    const client = await connectOfficial(at(path), keyOf('globex'));
    let changes = 0;
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
      changes++;
    });
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo');
    expect(await callText(client, 'echo', { text: 'zażółć 🙂' })).toBe('zażółć 🙂');
    await client.callTool({ name: 'change', arguments: { list: 'tools' } });
    await eventually(() => changes > 0);
    await client.ping();
  });

  test('of the second generation works too', async () => {
    const client = new ModernClient({ name: 'test', version: '1' });
    const headers = { Authorization: `Bearer ${keyOf('globex')}` };
    await client.connect(new ModernTransport(new URL(at('/sse')), { requestInit: { headers } }));
    const { content } = await client.callTool({ name: 'echo', arguments: { text: 'x' } });
    expect(content).toEqual([{ type: 'text', text: 'x' }]);
    await client.close();
  });

  test('may send its key as the founding documents have it, in X-API-Key beside the tenant’s name', async () => {
    const headers = { 'X-API-Key': keyOf('globex'), 'X-Tenant-ID': 'globex' };
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(new SSEClientTransport(new URL(at('/mcp/connect')), { requestInit: { headers } }));
    expect(await callText(client, 'whoami')).toContain('canary-of-globex');
    await client.close();
  });

  test('is asked what the server wants to know', async () => {
    const client = await connectOfficial(at('/sse'), keyOf('asking'), { sampling: {} }, (asked) => {
      asked.setRequestHandler(CreateMessageRequestSchema, () => ({
        model: 'none',
        role: 'assistant',
        content: { type: 'text', text: 'Hello yourself' },
      }));
    });
    expect(await callText(client, 'ask')).toContain('Hello yourself');
  });

  test('gets answers that are larger than what a stream may leave unread, and those right behind them', async () => {
    const client = await connectOfficial(at('/sse'), keyOf('globex'));
    const bytes = 9 * 1024 ** 2;
    const asked = [
      callText(client, 'big', { bytes }),
      callText(client, 'echo', { text: 'one' }),
      callText(client, 'echo', { text: 'two' }),
    ];
    const answers = await Promise.allSettled(asked);
    expect(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.length : 'cut'))).toEqual([
      bytes,
      3,
      3,
    ]);
  });

  test('goes on after its stream was cut, on another that it opens by itself', async () => {
    const relay = await startRelay(at('/sse'));
    onTestFinished(() => relay.stop());
    const client = await connectOfficial(relay.url, keyOf('globex'));
    await callText(client, 'echo', { text: 'before' });
    const openStreams = async () => (await proxy.status()).totals.sessions;
    const before = await openStreams();
    expect(relay.cut()).toBeGreaterThan(0);
    await eventually(async () => (await openStreams()) < before);
    const again = await eventually(
      () => callText(client, 'echo', { text: 'after' }).catch(() => undefined),
      20_000,
    );
    expect(again).toBe('after');
  });
});

describe('which server', () => {
  const canary = async (path: string) => {
    const session = await openSse(at(path), keyOf('several'));
    await session.initialize();
    const answer = await session.ask('1', 'tools/call', { name: 'whoami', arguments: {} });
    session.stream.close();
    return /\\"canary\\":\\"(\w+)\\"/.exec(answer)?.[1];
  };

  test('is in the path; one that is called connect keeps its name', async () => {
    expect(await canary('/sse/other')).toBe('other');
    expect(await canary('/sse/connect')).toBe('connect');
    expect(await canary('/mcp/connect')).toBe('connect');
    expect((await getStream(at('/sse'), keyOf('several'))).status).toBe(404);
    expect((await getStream(at('/sse/nobody'), keyOf('several'))).status).toBe(404);
  });

  test('at /mcp/connect is asked by Streamable HTTP as well', async () => {
    const session = await openRawSession(at('/mcp/connect'), keyOf('several'));
    expect(await session.text('whoami')).toContain('"canary":"connect"');
    const plain = await openRawSession(at('/mcp/connect'), keyOf('globex'));
    expect(await plain.text('whoami')).toContain('canary-of-globex');
    const listening = await plain.listen();
    expect(listening.status).toBe(200);
    await eventually(() => listening.text.includes('id: '));
    listening.close();
  });
});

describe('the stream', () => {
  test('begins with where to POST, on the same origin', async () => {
    const session = await openSse(at('/sse'), keyOf('globex'));
    const [first] = session.events();
    expect(first?.event).toBe('endpoint');
    expect(first?.data).toMatch(/^\/message\?sessionId=[\w-]{43}$/);
    session.stream.close();
  });

  test('is opened unless the client says that it takes no event stream', async () => {
    const opened = async (accept: Readonly<Record<string, string>>) => {
      const headers = { authorization: `Bearer ${keyOf('globex')}`, ...accept };
      const stream = await send(at('/sse'), { method: 'GET', headers });
      stream.close();
      return stream.status;
    };
    expect(await opened({})).toBe(200);
    expect(await opened({ accept: '*/*' })).toBe(200);
    expect(await opened({ accept: 'application/json' })).toBe(406);
  });

  test('has every answer, byte for byte, with the id as the client wrote it', async () => {
    const session = await openSse(at('/sse'), keyOf('globex'));
    await session.initialize();
    for (const id of ['1', '"1"', '12345678901234567890', '1.0'])
      expect(await session.ask(id, 'tools/call', { name: 'echo', arguments: { text: id } })).toBe(
        answerLine(id, id),
      );
    expect(
      session
        .events()
        .slice(1)
        .every(({ event }) => event === 'message'),
    ).toBe(true);
    session.stream.close();
  });

  test('has what a call says ahead of its answer', async () => {
    const session = await openSse(at('/sse'), keyOf('globex'));
    await session.initialize();
    const asked = { name: 'progress', arguments: { steps: 3, ms: 1 }, _meta: { progressToken: 'mine' } };
    await session.ask('5', 'tools/call', asked);
    const told = session
      .events()
      .filter(({ data }) => data.includes('"mine"'))
      .map(({ data }) => (JSON.parse(data) as { params: { progress: number } }).params.progress);
    expect(told).toEqual([1, 2, 3]);
    expect(session.events().at(-1)?.data).toContain('"id":5,');
    session.stream.close();
  });

  test('has the errors of calls too; broken requests get a status', async () => {
    const session = await openSse(at('/sse'), keyOf('globex'));
    await session.initialize();
    const failed = await session.ask('1', 'tools/call', { name: 'fail', arguments: { code: -32050 } });
    expect(errorIn(failed).code).toBe(-32050);
    const answers = await Promise.all([
      session.post('{'),
      session.post('{"jsonrpc":"2.0"}'),
      session.post('"x"'.padEnd(70_000)),
      session.post('{}', { 'content-type': 'text/plain' }),
      session.post('{"jsonrpc":"2.0","id":9,"method":"initialize","params":{}}'),
      session.post('{"jsonrpc":"2.0","id":9,"method":"ping"}', { 'mcp-protocol-version': 'x' }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 413, 415, 400, 400]);
    session.stream.close();
  });

  test('answers a ping and a batch', async () => {
    const session = await openSse(at('/sse'), keyOf('globex'));
    expect(await session.ask('0', 'ping')).toBe('{"jsonrpc":"2.0","id":0,"result":{}}');
    await session.initialize();
    const call = (id: number) =>
      `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"echo","arguments":{"text":"x"}}}`;
    expect((await session.post(`[${call(1)},${call(2)}]`)).status).toBe(202);
    await eventually(() =>
      [1, 2].every((id) => session.events().some(({ data }) => data === answerLine(String(id), 'x'))),
    );
    session.stream.close();
  });

  test('is closed with the session, and the session with the stream: calls in flight are cancelled', async () => {
    const session = await openSse(at('/sse'), keyOf('seen'));
    await session.initialize();
    await session.post(
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"hang","arguments":{}}}',
    );
    await eventually(async () => (await proxy.status()).totals.inFlight === 1);
    session.stream.close();
    await eventually(async () => (await proxy.status()).totals.inFlight === 0);
    const gone = await session.post('{"jsonrpc":"2.0","id":2,"method":"ping"}');
    expect([gone.status, errorIn(await gone.ended).data.code]).toEqual([404, 'SESSION_NOT_FOUND']);
    const other = await openRawSession(proxy.url, keyOf('seen'));
    const { cancelled } = JSON.parse(await other.text('seen')) as { cancelled: unknown[] };
    expect(cancelled).toHaveLength(1);
    await proxy.logged(({ event, tenant }) => event === 'session.closed' && tenant === 'seen');
  });

  test('that is not read is cut, and harms nobody else', async () => {
    const session = await openSse(at('/sse'), keyOf('slow'));
    await session.initialize();
    const cut = session.stream.ended.then(
      () => 'ended',
      () => 'cut',
    );
    session.stream.pause();
    const big =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"big","arguments":{"bytes":4000000}}}';
    // More than all buffers on the way hold.
    for (let count = 0; count < 6; count++) expect((await session.post(big)).status).toBe(202);
    const ping = '{"jsonrpc":"2.0","id":2,"method":"ping"}';
    await eventually(async () => (await session.post(ping)).status === 404);
    session.stream.resume();
    expect(await cut).toBe('cut');
    const other = await openSse(at('/sse'), keyOf('slow'));
    await other.initialize();
    expect(await other.ask('1', 'tools/call', { name: 'echo', arguments: { text: 'x' } })).toBe(
      answerLine('1', 'x'),
    );
    other.stream.close();
  });
});

describe('who may POST', () => {
  test('is who opened the stream, with a key each time, and nobody else', async () => {
    const session = await openSse(at('/sse'), keyOf('acme'));
    const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
    const asked = async (key: string | undefined, url = session.endpoint) => {
      const headers: Record<string, string> = mcpHeaders(key ?? '');
      if (key === undefined) delete headers['authorization'];
      const answer = await send(url, { headers, body: ping });
      return [answer.status, (await answer.ended).replace(/"requestId":"[^"]*"/, '')] as const;
    };
    expect((await asked(keyOf('acme')))[0]).toBe(202);
    expect((await asked(undefined))[0]).toBe(401);
    expect((await asked('wrong'))[0]).toBe(401);
    const madeUp = at(`/message?sessionId=${'A'.repeat(43)}`);
    const foreign = await asked(keyOf('globex'));
    expect(foreign[0]).toBe(404);
    // A session that is another's, or a colleague's, is as one that never was.
    expect(await asked(keyOf('globex'), madeUp)).toEqual(foreign);
    expect(await asked(secondKey)).toEqual(foreign);
    expect((await asked(keyOf('acme'), at('/message')))[0]).toBe(400);
    expect(session.events().filter(({ event }) => event === 'message')).toHaveLength(1);
    session.stream.close();
  });

  test('is not told by a key in the URL', async () => {
    const session = await openSse(at('/sse'), keyOf('acme'));
    const secret = keyOf('acme');
    for (const name of ['key', 'api_key', 'apiKey', 'token', 'access_token']) {
      const get = await send(at(`/sse?${name}=${secret}`), {
        method: 'GET',
        headers: { accept: 'text/event-stream' },
      });
      const headers = { 'content-type': 'application/json' };
      const posted = await send(`${session.endpoint}&${name}=${secret}`, { headers, body: '{}' });
      expect([get.status, posted.status]).toEqual([401, 401]);
    }
    session.stream.close();
  });

  test.each([
    ['POST', '/sse', 'GET'],
    ['DELETE', '/sse', 'GET'],
    ['GET', '/message', 'POST'],
  ])('%s %s is not asked so', async (method, path, allow) => {
    const headers = mcpHeaders(keyOf('acme'));
    const answer = await send(at(path), { method, headers, ...(method === 'POST' ? { body: '{}' } : {}) });
    expect([answer.status, answer.headers.allow]).toEqual([405, allow]);
  });

  test('is no page of another site', async () => {
    for (const [method, path] of [
      ['GET', '/sse'],
      ['POST', '/message?sessionId=x'],
    ] as const) {
      const headers = { ...mcpHeaders(keyOf('acme')), origin: 'https://evil.example.com' };
      expect((await send(at(path), { method, headers })).status).toBe(403);
    }
  });
});

test('a tenant has so many streams and no more, and those that close make room', async () => {
  const open = () => getStream(at('/sse'), keyOf('crowded'));
  const streams: Exchange[] = [];
  for (let count = 0; count < 3; count++) streams.push(await open());
  expect(streams.map(({ status }) => status)).toEqual([200, 200, 200]);
  const refused = await open();
  expect([refused.status, refused.headers['retry-after']]).toEqual([429, '5']);
  streams[0]!.close();
  streams.push(
    await eventually(async () => {
      const stream = await open();
      return stream.status === 200 && stream;
    }),
  );
  for (const stream of streams) stream.close();
});

test('while the proxy drains, calls in flight are answered, nothing new is taken, and the streams end', async () => {
  const draining = await startProxy({ tenants: { acme: tenantYaml('acme', 'echo', oneWorker) } });
  onTestFinished(async () => {
    await draining.stop();
  });
  const url = new URL('/sse', draining.url).href;
  const session = await openSse(url, draining.keys['acme']!);
  await session.initialize();
  const answer = session.ask('1', 'tools/call', { name: 'sleep', arguments: { ms: 800 } });
  await eventually(async () => (await draining.status()).totals.inFlight === 1);
  // On a connection that is open already: others are not taken any more.
  const warm = await session.post('{"jsonrpc":"2.0","id":2,"method":"ping"}');
  expect(warm.status).toBe(202);
  draining.signal('SIGTERM');
  await draining.logged(({ event }) => event === 'proxy.draining');
  const late = await session.post('{"jsonrpc":"2.0","id":3,"method":"ping"}').then(
    ({ status }) => status,
    () => 'refused',
  );
  expect([503, 'refused']).toContain(late);
  expect(await answer).toBe(answerLine('1', 'slept 800'));
  await session.stream.ended;
  expect(await draining.exited).toBe(0);
});
