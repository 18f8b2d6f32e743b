import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import {
  answerLine,
  answerOf,
  errorIn,
  type Exchange,
  mcpHeaders,
  openRawSession,
  type RawSession,
  send,
} from '../support/raw-session.ts';
import { openRawSocket, type RawSocket, requestText } from '../support/raw-socket.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

const maxBody = 64 * 1024;
/** A web page that the operator lets in. */
const page = 'https://app.example.com';
const digest = (key: string) => createHash('sha256').update(key).digest('hex');
const expiredKey = `mcpx_expired_${randomBytes(32).toString('hex')}`;
const expired = `keys: [{ name: old, sha256: ${digest(expiredKey)}, expires: '2020-01-01' }]`;

let proxy: RunningProxy;
let url: string;
let key: string;
let session: RawSession;
/** What takes its time is begun first and looked at last, so that everything else happens meanwhile. */
let dribbled: Promise<{ readonly tookMs: number; readonly received: string }>;
let slowlyOpened: Promise<Exchange>;

beforeAll(async () => {
  proxy = await startProxy({
    config: `limits: { body: 64KiB, depth: 20 }\nlisten: { port: 0, allowedOrigins: ['${page}'] }`,
    tenants: {
      acme: tenantYaml('acme', 'echo'),
      other: tenantYaml('other', 'echo'),
      expired: tenantYaml('expired', 'echo', expired),
      disabled: tenantYaml('disabled', 'echo', 'enabled: false'),
      slow: tenantYaml('slow', 'slow-start', '', { START_MS: '16500' }),
    },
  });
  url = proxy.url;
  key = proxy.keys['acme']!;
  session = await openRawSession(url, key);
  dribbled = dribble();
  slowlyOpened = send(url, { headers: mcpHeaders(proxy.keys['slow']!), body: initialize });
});

/** Never silent for long, and never done. */
async function dribble(): Promise<{ tookMs: number; received: string }> {
  const socket = await openRawSocket(url);
  const startedAt = performance.now();
  const text = requestText([`Host: ${new URL(url).host}`, `X-Any: ${'x'.repeat(10_000)}`]);
  let at = 0;
  const dribbling = setInterval(() => {
    socket.write(text[at++] ?? 'x');
  }, 100);
  const received = await socket.closed;
  clearInterval(dribbling);
  return { tookMs: performance.now() - startedAt, received };
}

afterAll(() => proxy.stop());

const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
const pong = '{"jsonrpc":"2.0","id":1,"result":{}}';
const initialized = '{"jsonrpc":"2.0","method":"notifications/initialized"}';
const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
});

/** A request as a good client sends it, but for what is given; `undefined` leaves a header out, `null` the body. */
function ask(
  headers: Readonly<Record<string, string | undefined>> = {},
  body: string | Buffer | null = ping,
  method = 'POST',
  at = url,
): Promise<Exchange> {
  const own = mcpHeaders(key, { 'mcp-session-id': session.id });
  const all: Record<string, string | undefined> = { ...own, ...headers };
  const kept = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return send(at, { method, headers: Object.fromEntries(kept), ...(body === null ? {} : { body }) });
}

/** Everything that goes wrong here is said in the same shape. */
async function expectError(exchange: Exchange, status: number, code: string): Promise<string> {
  const text = await exchange.ended;
  expect({ status: exchange.status, text }).toMatchObject({ status });
  expect(exchange.headers['content-type']).toBe('application/json');
  const body = JSON.parse(text) as object;
  expect(body).toMatchObject({ jsonrpc: '2.0', error: { data: { source: 'proxy', code, executed: 'no' } } });
  expect(body).toHaveProperty('id');
  return text;
}

describe('POST', () => {
  test('a request is answered as JSON', async () => {
    const answer = await ask();
    expect([answer.status, answer.headers['content-type'], await answer.ended]).toEqual([
      200,
      'application/json',
      pong,
    ]);
  });

  test('a notification and an answer of the client are accepted with 202 and no body', async () => {
    for (const body of [initialized, '{"jsonrpc":"2.0","id":7,"result":{}}']) {
      const answer = await ask({}, body);
      expect([answer.status, await answer.ended]).toEqual([202, '']);
    }
  });

  test('initialize opens a session whose id is visible ASCII and hard to guess', async () => {
    const answer = await ask({ 'mcp-session-id': undefined }, initialize);
    await answer.ended;
    expect(answer.status).toBe(200);
    expect(answer.headers['mcp-session-id']).toMatch(/^[\x21-\x7e]{43,}$/);
    expect(answer.headers['mcp-session-id']).not.toBe(session.id);
  });

  test.each([ping, initialized])('%s without a session id is refused', async (body) => {
    await expectError(await ask({ 'mcp-session-id': undefined }, body), 400, 'INVALID_REQUEST');
  });

  test('an unknown session id is not found', async () => {
    for (const body of [ping, initialized])
      await expectError(await ask({ 'mcp-session-id': 'never-was' }, body), 404, 'SESSION_NOT_FOUND');
  });

  const wrongBodies: [string, string | Buffer, number, string][] = [
    ['nothing', '', 400, 'PARSE_ERROR'],
    ['no JSON', '{"jsonrpc":"2.0",', 400, 'PARSE_ERROR'],
    ['text after the JSON', `${ping}x`, 400, 'PARSE_ERROR'],
    ['two messages on two lines', `${ping}\n${ping}`, 400, 'PARSE_ERROR'],
    ['a comment', `/* */${ping}`, 400, 'PARSE_ERROR'],
    ['a trailing comma', '{"jsonrpc":"2.0","id":1,"method":"ping",}', 400, 'PARSE_ERROR'],
    ['NaN', '{"jsonrpc":"2.0","id":NaN,"method":"ping"}', 400, 'PARSE_ERROR'],
    ['a byte order mark', Buffer.from(`\ufeff${ping}`), 400, 'PARSE_ERROR'],
    ['a text', '"ping"', 400, 'INVALID_REQUEST'],
    ['null', 'null', 400, 'INVALID_REQUEST'],
    ['no version', '{"id":1,"method":"ping"}', 400, 'INVALID_REQUEST'],
    ['another version', '{"jsonrpc":"1.0","id":1,"method":"ping"}', 400, 'INVALID_REQUEST'],
    ['a method that is no text', '{"jsonrpc":"2.0","id":1,"method":7}', 400, 'INVALID_REQUEST'],
    ['neither method nor result', '{"jsonrpc":"2.0","id":1}', 400, 'INVALID_REQUEST'],
    [
      'invalid UTF-8',
      Buffer.from([...Buffer.from('{"jsonrpc":"2.0","id":"'), 0xff, ...Buffer.from('","method":"ping"}')]),
      400,
      'PARSE_ERROR',
    ],
    [
      'half a character',
      Buffer.from([...Buffer.from('{"jsonrpc":"2.0","id":"'), 0xc3, ...Buffer.from('","method":"ping"}')]),
      400,
      'PARSE_ERROR',
    ],
  ];

  test.each(wrongBodies)('%s is refused', async (_name, body, status, code) => {
    await expectError(await ask({}, body), status, code);
  });

  test.each([
    '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
    '{"jsonrpc":"2.0","id":1,"\\u0069d":2,"method":"ping"}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","name":"whoami"}}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","params":{},"params":{}}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"progressToken":1,"progressToken":2}}}',
  ])('a key that stands twice is refused: %s', async (body) => {
    await expectError(await ask({}, body), 400, 'PARSE_ERROR');
  });

  test('nesting is bounded, to the level', async () => {
    const nested = (levels: number) => {
      // The message and its params are two levels.
      const value = '['.repeat(levels - 2) + ']'.repeat(levels - 2);
      return `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":${value}}}`;
    };
    expect(await (await ask({}, nested(20))).ended).toBe(pong);
    for (const levels of [21, 10_000])
      await expectError(await ask({}, nested(levels)), 400, 'INVALID_REQUEST');
  });

  test('line breaks between values do not break the line to the server', async () => {
    const body = JSON.stringify(
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { text: 'a\nb' } } },
      undefined,
      2,
    ).replaceAll('\n', '\r\n');
    expect(await answerOf(await ask({}, body))).toBe(answerLine('1', 'a\nb'));
  });
});

describe('headers of a POST', () => {
  test.each([
    undefined,
    'text/plain',
    'application/jsonp',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
  ])('Content-Type %s is refused', async (type) => {
    await expectError(await ask({ 'content-type': type }), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  test.each(['application/json; charset=utf-8', 'Application/JSON', 'application/json;charset=utf-8'])(
    'Content-Type %s is fine',
    async (type) => {
      expect(await (await ask({ 'content-type': type })).ended).toBe(pong);
    },
  );

  test.each(['gzip', 'deflate', 'br', 'zstd', 'gzip, identity'])(
    'Content-Encoding %s is refused',
    async (encoding) => {
      await expectError(await ask({ 'content-encoding': encoding }), 415, 'UNSUPPORTED_MEDIA_TYPE');
    },
  );

  test.each([undefined, 'application/json', 'text/event-stream', 'text/html'])(
    'Accept %s is refused',
    async (accept) => {
      await expectError(await ask({ accept }), 406, 'NOT_ACCEPTABLE');
    },
  );

  test.each(['*/*', 'text/event-stream;q=0.5, application/json', 'application/*, text/*'])(
    'Accept %s is fine',
    async (accept) => {
      expect((await ask({ accept })).status).toBe(200);
    },
  );

  test.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', undefined])(
    'MCP-Protocol-Version %s is fine',
    async (version) => {
      expect((await ask({ 'mcp-protocol-version': version })).status).toBe(200);
    },
  );

  test.each(['1999-01-01', 'latest', '', '2025-11-25, 2025-06-18'])(
    'MCP-Protocol-Version %s is refused',
    async (version) => {
      for (const method of ['POST', 'GET', 'DELETE']) {
        const body = method === 'POST' ? ping : null;
        await expectError(
          await ask({ 'mcp-protocol-version': version }, body, method),
          400,
          'INVALID_REQUEST',
        );
      }
    },
  );
});

describe('the size of a body', () => {
  const filled = (size: number) => {
    const [head, tail] = ['{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"', '"}}'];
    return head + 'x'.repeat(size - head.length - tail.length) + tail;
  };

  test('is bounded, to the byte', async () => {
    expect(await (await ask({}, filled(maxBody))).ended).toBe(pong);
    await expectError(await ask({}, filled(maxBody + 1)), 413, 'TOO_LARGE');
  });

  test('also where it is not announced', async () => {
    const socket = await openRawSocket(url);
    const { host } = new URL(url);
    const headers = Object.entries(mcpHeaders(key, { host, 'mcp-session-id': session.id })).map((pair) =>
      pair.join(': '),
    );
    socket.write(requestText([...headers, 'Transfer-Encoding: chunked']));
    const chunk = 'x'.repeat(4096);
    for (let sent = 0; sent <= maxBody; sent += chunk.length) socket.write(`1000\r\n${chunk}\r\n`);
    // The end never comes, and neither does a wait for it.
    const received = await socket.closed;
    expect(received).toMatch(/^HTTP\/1\.1 413 /);
    expect(received).toContain('"code":"TOO_LARGE"');
  });

  test('and a refused one is not read on', async () => {
    const socket = await openRawSocket(url);
    const headers = Object.entries(mcpHeaders(key, { host: new URL(url).host })).map((pair) =>
      pair.join(': '),
    );
    socket.write(requestText([...headers, 'Content-Length: 1000000000'], '{'));
    expect(await socket.closed).toMatch(/^HTTP\/1\.1 413 /);
  });
});

describe('batches', () => {
  const batch = `[${ping},${initialized},{"jsonrpc":"2.0","id":"two","method":"tools/call","params":{"name":"echo","arguments":{"text":"in a batch"}}}]`;
  let batching: RawSession;
  const asIn = (version: string | undefined) => ({
    'mcp-protocol-version': version,
    'mcp-session-id': batching.id,
  });

  beforeAll(async () => {
    batching = await openRawSession(url, key, { version: '2025-03-26' });
  });

  test.each(['2025-03-26', undefined])('are taken apart where the client speaks %s', async (version) => {
    const answer = await ask(asIn(version), batch);
    expect(answer.status).toBe(200);
    const answers = JSON.parse(await answer.ended) as { id: unknown }[];
    expect(answers.toSorted((a, b) => String(a.id).localeCompare(String(b.id)))).toEqual([
      JSON.parse(pong),
      JSON.parse(answerLine('"two"', 'in a batch')),
    ]);
  });

  test('reach the server one by one', async () => {
    const seen = JSON.parse(await session.text('seen')) as { batches: number };
    expect(seen.batches).toBe(0);
  });

  test('of notifications alone are accepted', async () => {
    const answer = await ask(asIn('2025-03-26'), `[${initialized},${initialized}]`);
    expect([answer.status, await answer.ended]).toEqual([202, '']);
  });

  test('have no response to what was cancelled, and none at all if that was everything', async () => {
    const hang = (id: number) =>
      `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"hang","arguments":{}}}`;
    const cancel = (id: number) =>
      `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`;
    const inFlight = async () => (await proxy.status()).tenants.find(({ id }) => id === 'acme')?.inFlight;
    const begun = (await inFlight()) ?? 0;
    const [some, all] = [`[${ping},${hang(2)}]`, `[${hang(3)},${hang(4)}]`].map((body) =>
      ask(asIn('2025-03-26'), body),
    );
    await eventually(async () => (await inFlight()) === begun + 3);
    for (const id of [2, 3, 4]) expect((await ask(asIn(undefined), cancel(id))).status).toBe(202);
    const [left, nothing] = [await some!, await all!];
    expect(JSON.parse(await left.ended)).toEqual([JSON.parse(pong)]);
    expect([nothing.status, nothing.headers['content-type'], await nothing.ended]).toEqual([
      200,
      'text/event-stream',
      '',
    ]);
  });

  test.each(['2025-06-18', '2025-11-25'])('are refused in %s', async (version) => {
    await expectError(await ask(asIn(version), batch), 400, 'INVALID_REQUEST');
  });

  test.each(['2025-03-26', undefined])(
    'are refused in a session that agreed on another revision, also where the client speaks %s',
    async (version) => {
      const headers = { 'mcp-protocol-version': version };
      await expectError(await ask(headers, batch), 400, 'INVALID_REQUEST');
    },
  );

  test.each([
    ['an empty one', '[]'],
    ['one with initialize in it', `[${initialize}]`],
    ['one with a batch in it', `[[${ping}]]`],
    ['one with half a message in it', `[${ping},{"id":1}]`],
    ['one that is too long', `[${Array.from({ length: 101 }, () => ping).join()}]`],
  ])('%s is refused, whole', async (_name, body) => {
    await expectError(await ask(asIn('2025-03-26'), body), 400, 'INVALID_REQUEST');
  });
});

describe('GET and DELETE', () => {
  const listen = (headers: Record<string, string | undefined> = {}) =>
    ask({ 'content-type': undefined, accept: 'text/event-stream', ...headers }, null, 'GET');

  test('GET opens the stream of a session', async () => {
    const stream = await listen();
    expect(stream.status).toBe(200);
    expect(stream.headers['content-type']).toBe('text/event-stream');
    expect(stream.headers['cache-control']).toContain('no-cache');
    stream.close();
  });

  test('GET needs a session id, one that is known, and the right Accept', async () => {
    await expectError(await listen({ 'mcp-session-id': undefined }), 400, 'INVALID_REQUEST');
    await expectError(await listen({ 'mcp-session-id': 'never-was' }), 404, 'SESSION_NOT_FOUND');
    await expectError(await listen({ accept: 'application/json' }), 406, 'NOT_ACCEPTABLE');
  });

  test('DELETE ends a session and its streams; it is unknown then', async () => {
    const short = await openRawSession(url, key);
    const stream = await short.listen();
    const own = { 'mcp-session-id': short.id };
    const gone = await ask(own, null, 'DELETE');
    expect([200, 204]).toContain(gone.status);
    await stream.ended;
    await expectError(await ask(own), 404, 'SESSION_NOT_FOUND');
    await expectError(await ask(own, null, 'DELETE'), 404, 'SESSION_NOT_FOUND');
    await expectError(await ask({ 'mcp-session-id': undefined }, null, 'DELETE'), 400, 'INVALID_REQUEST');
  });

  test.each(['PUT', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'])(
    '%s is not allowed, and Allow says what is',
    async (method) => {
      const answer = await ask({}, null, method);
      await expectError(answer, 405, 'METHOD_NOT_ALLOWED');
      expect(answer.headers.allow).toBe('POST, GET, DELETE');
    },
  );

  test('HEAD is not allowed, without a body', async () => {
    const answer = await ask({}, null, 'HEAD');
    expect([answer.status, await answer.ended]).toEqual([405, '']);
  });

  test.each([
    '/',
    '/mcp//',
    '/mcp/default/more',
    '/MCP',
    '/mcp/..',
    '//mcp',
    '/mcp%2f',
    '/v1/status',
    '/metrics',
  ])('nothing is at %s', async (path) => {
    const at = await openRawSocket(url);
    at.write(requestText([`Host: ${new URL(url).host}`, 'Connection: close'], '', `GET ${path} HTTP/1.1`));
    const received = await at.closed;
    expect(received).toMatch(/^HTTP\/1\.1 404 /);
    expect(errorIn(received.slice(received.indexOf('{'))).data).toMatchObject({
      source: 'proxy',
      code: 'NOT_FOUND',
    });
  });

  test('a server that the tenant does not have is not found', async () => {
    await expectError(await ask({}, ping, 'POST', `${url}/files`), 404, 'NOT_FOUND');
    for (const path of ['', '/', '/default', '/default/', '/?x=1']) {
      const answer = await ask({ 'mcp-session-id': undefined }, initialize, 'POST', `${url}${path}`);
      expect([path, answer.status]).toEqual([path, 200]);
    }
  });
});

describe('Host and Origin', () => {
  const at = (name: string) => `${name}:${new URL(url).port}`;

  test.each(['evil.example.com', 'localhost.evil.example.com', '127.0.0.1.nip.io', '10.0.0.1'])(
    'Host %s is refused',
    async (name) => {
      await expectError(await ask({ host: name }), 403, 'FORBIDDEN');
      await expectError(await ask({ host: at(name) }), 403, 'FORBIDDEN');
    },
  );

  test.each(['localhost', '127.0.0.1', 'LOCALHOST', '[::1]'])('Host %s is this machine', async (name) => {
    expect((await ask({ host: at(name) })).status).toBe(200);
  });

  test.each([
    ...['http://evil.example.com', 'https://evil.example.com', 'null', 'http://localhost.evil.example.com'],
    ...[
      'http://evil.example.com/?localhost',
      'localhost',
      'http://localhost@evil.example.com',
      'file://',
      '',
    ],
  ])('Origin %s is refused, whatever the method', async (origin) => {
    for (const method of ['POST', 'GET', 'DELETE', 'OPTIONS'])
      await expectError(await ask({ origin }, method === 'POST' ? ping : null, method), 403, 'FORBIDDEN');
  });

  test('an Origin on this machine is fine, and no page is given leave by CORS', async () => {
    const answer = await ask({ origin: `http://${at('localhost')}` });
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test('they are looked at before the key', async () => {
    await expectError(await ask({ authorization: undefined, host: 'evil.example.com' }), 403, 'FORBIDDEN');
  });
});

describe('a web page that the operator lets in', () => {
  const at = (path: string) => new URL(path, url).href;
  const asking = { origin: page, 'access-control-request-method': 'POST' };

  test.each(['/mcp', '/mcp/default', '/mcp/no-such-server', '/sse', '/message?sessionId=x'])(
    'asks at %s what it may send, without a key, and is told nothing else',
    async (path) => {
      const answer = await send(at(path), { method: 'OPTIONS', headers: asking });
      expect([answer.status, await answer.ended]).toEqual([204, '']);
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': page,
        'access-control-allow-methods': 'POST, GET, DELETE',
        vary: 'Origin',
      });
    },
  );

  test('may read every answer: of a call, of a stream, and of what went wrong', async () => {
    const origin = { origin: page };
    const listening = { ...origin, 'content-type': undefined, accept: 'text/event-stream' };
    const answers = [
      await ask(origin),
      await ask({ ...origin, 'mcp-session-id': undefined }, initialize),
      await ask(listening, null, 'GET'),
      await ask(listening, null, 'GET', at('/sse')),
      await ask({ ...origin, authorization: undefined }),
      await ask({ ...origin, host: 'evil.example.com' }),
      await ask(origin, null, 'OPTIONS'),
      await ask(origin, ping, 'POST', at('/nothing')),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 401, 403, 405, 404]);
    for (const answer of answers) {
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': page,
        'access-control-expose-headers': expect.stringContaining('Mcp-Session-Id') as string,
        vary: 'Origin',
      });
      answer.close();
    }
  });

  test('is one, and no others: they are told nothing', async () => {
    for (const origin of ['https://other.example.com', undefined, `http://${new URL(url).host}`]) {
      const answers = [
        await ask({ origin }),
        await ask({ ...asking, origin }, null, 'OPTIONS'),
        await ask({ origin }, null, 'GET', at('/sse')),
      ];
      const told = answers.flatMap(({ headers }) => Object.keys(headers));
      expect(told.filter((name) => /^access-control|^vary$/.test(name))).toEqual([]);
      for (const answer of answers) answer.close();
    }
  });
});

describe('keys', () => {
  const bare = { authorization: undefined, 'x-api-key': undefined };

  test('X-API-Key is as good as Authorization, and so are both with one key', async () => {
    expect((await ask({ ...bare, 'x-api-key': key })).status).toBe(200);
    expect((await ask({ 'x-api-key': key })).status).toBe(200);
    expect((await ask({ authorization: `bearer ${key}` })).status).toBe(200);
  });

  test('no key, an unknown, an expired and a disabled one are told the same', async () => {
    const unknown = `mcpx_unknown_${randomBytes(32).toString('hex')}`;
    const ways: Record<string, string | undefined>[] = [
      bare,
      { authorization: `Bearer ${unknown}` },
      { authorization: `Bearer ${expiredKey}` },
      { authorization: `Bearer ${proxy.keys['disabled']!}` },
      { ...bare, 'x-api-key': unknown },
      { authorization: 'Bearer ' },
      { authorization: 'Bearer' },
      { authorization: key },
      { authorization: `Basic ${btoa(`user:${key}`)}` },
      { authorization: `Bearer ${key}x` },
      { authorization: `Bearer ${key.slice(0, -1)}` },
      { authorization: `Bearer ${key.toUpperCase()}` },
      { authorization: `Bearer ${digest(key)}` },
      { authorization: `Bearer ${'x'.repeat(8000)}` },
      // Two keys may be two tenants', and a choice between them would be a choice of tenant.
      { authorization: `Bearer ${key}`, 'x-api-key': proxy.keys['other']! },
      { authorization: `Bearer ${key}`, 'x-api-key': unknown },
    ];
    const texts = new Set<string>();
    for (const way of ways) {
      const answer = await ask(way);
      texts.add(await expectError(answer, 401, 'UNAUTHENTICATED'));
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer /);
    }
    expect(texts.size).toBe(1);
  });

  test('every method needs one', async () => {
    for (const method of ['POST', 'GET', 'DELETE'])
      await expectError(await ask(bare, method === 'POST' ? ping : null, method), 401, 'UNAUTHENTICATED');
  });

  test('a key in the address is none', async () => {
    const answer = await ask(bare, ping, 'POST', `${url}?key=${key}&access_token=${key}&api_key=${key}`);
    await expectError(answer, 401, 'UNAUTHENTICATED');
  });

  test("a stranger's body is not waited for", async () => {
    const socket = await openRawSocket(url);
    const lines = [`Host: ${new URL(url).host}`, 'Content-Type: application/json', 'Content-Length: 60000'];
    socket.write(requestText(lines, '{'));
    expect(await socket.until((received) => received.includes('"UNAUTHENTICATED"'), 5000)).toMatch(
      /^HTTP\/1\.1 401 /,
    );
    socket.destroy();
  });
});

describe('health', () => {
  test.each([
    ['/healthz', 'ok'],
    ['/readyz', 'ready'],
  ])('%s needs no key and tells nothing else', async (path, text) => {
    const answer = await send(new URL(path, url).href, { method: 'GET' });
    expect([answer.status, await answer.ended]).toEqual([200, text]);
  });
});

describe('one socket', () => {
  const head = () =>
    Object.entries(mcpHeaders(key, { Host: new URL(url).host, 'Mcp-Session-Id': session.id })).map((pair) =>
      pair.join(': '),
    );
  const whole = (body: string, more: readonly string[] = []) =>
    requestText([...head(), ...more, `Content-Length: ${Buffer.byteLength(body)}`], body);

  test('pipelined requests are answered in their order', async () => {
    const socket = await openRawSocket(url);
    const echo = (n: number) =>
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"sleep","arguments":{"ms":${200 - n * 20}}}}`;
    const bodies = Array.from({ length: 10 }, (_, n) => echo(n));
    socket.write(bodies.map((body) => whole(body)).join(''));
    const received = await socket.until((text) => text.split('slept').length > 10);
    const answers = [...received.matchAll(/\{"jsonrpc".*?\}\]\}\}/g)].map(([answer]) => answer);
    expect(answers).toEqual(bodies.map((_, n) => answerLine('1', `slept ${200 - n * 20}`)));
    socket.destroy();
  });

  const smuggled = (socket: RawSocket) => socket.received.match(/^HTTP\/1\.1 \d+/gm) ?? [];
  const inner = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';

  test.each<[string, (body: string) => string]>([
    [
      'both lengths',
      () => requestText([...head(), 'Content-Length: 4', 'Transfer-Encoding: chunked'], `0\r\n\r\n${inner}`),
    ],
    [
      'two different lengths',
      () => requestText([...head(), 'Content-Length: 2', 'Content-Length: 40'], `{}${inner}`),
    ],
    ['a signed length', () => requestText([...head(), 'Content-Length: +2'], `{}${inner}`)],
    [
      'an unknown transfer encoding',
      () => requestText([...head(), 'Transfer-Encoding: xchunked'], `0\r\n\r\n${inner}`),
    ],
    ['a space before the colon', () => requestText([...head(), 'Content-Length : 2'], `{}${inner}`)],
    ['a folded header', () => requestText([...head(), 'X-Any: a', ' Content-Length: 2'], `{}${inner}`)],
    [
      'a chunk size that is none',
      () => requestText([...head(), 'Transfer-Encoding: chunked'], `zz\r\n{}\r\n0\r\n\r\n${inner}`),
    ],
    ['a bare line feed', () => requestText(head()).replace('\r\n', '\n')],
    [
      'no Host',
      () =>
        requestText(
          head().filter((line) => !line.startsWith('Host')),
          inner,
        ),
    ],
    ['two Hosts', () => requestText(['Host: localhost', ...head()], inner)],
    ['the same Host twice', () => requestText([...head(), `Host: ${new URL(url).host}`], inner)],
    ...['gzip, chunked', 'chunked, chunked', 'identity', 'chunked;a=b'].map(
      (coding): [string, () => string] => [
        `Transfer-Encoding: ${coding}`,
        () => requestText([...head(), `Transfer-Encoding: ${coding}`], `0\r\n\r\n${inner}`),
      ],
    ),
    ['a NUL in a header', () => requestText([...head(), 'X-Any: a\0b'], inner)],
    ['headers of 17 KB', () => requestText([...head(), `X-Any: ${'x'.repeat(17_000)}`], inner)],
  ])('a request with %s is refused and nothing behind it is read', async (_name, text) => {
    const socket = await openRawSocket(url);
    socket.write(text(''));
    await socket.closed;
    expect(smuggled(socket).length).toBe(1);
    expect(smuggled(socket)[0]).toMatch(/ (400|403|431)$/);
  });

  test.each(['Authorization', 'Host', 'Mcp-Session-Id', 'X-Tenant-Id'])(
    'two %s headers that differ choose nobody: the second is never believed',
    async (name) => {
      const otherSession = await openRawSession(url, proxy.keys['other']!);
      const second = {
        Authorization: `Bearer ${proxy.keys['other']!}`,
        Host: 'evil.example.com',
        'Mcp-Session-Id': otherSession.id,
        'X-Tenant-Id': 'other',
      }[name]!;
      const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami"}}';
      const socket = await openRawSocket(url);
      socket.write(whole(body, [`${name}: ${second}`, 'Connection: close']));
      expect(await socket.closed).not.toContain('canary-of-other');
    },
  );

  test.each(['http://localhost/mcp', 'HTTP://localhost:80/mcp', 'http://127.0.0.1/mcp?a=b'])(
    'a target may be a whole URL: %s',
    async (target) => {
      const socket = await openRawSocket(url);
      const lines = [...head(), `Content-Length: ${ping.length}`, 'Connection: close'];
      socket.write(requestText(lines, ping, `POST ${target} HTTP/1.1`));
      expect(await socket.closed).toContain(pong);
    },
  );

  test('and then the host in it is the one that counts', async () => {
    const socket = await openRawSocket(url);
    const lines = [...head(), `Content-Length: ${ping.length}`, 'Connection: close'];
    socket.write(requestText(lines, ping, 'POST http://evil.example.com/mcp HTTP/1.1'));
    expect(await socket.closed).toMatch(/^HTTP\/1\.1 403 /);
  });

  test('a header called __proto__ is a header like any other', async () => {
    const socket = await openRawSocket(url);
    socket.write(whole(ping, ['__proto__: x', 'constructor: y', 'Connection: close']));
    expect(await socket.closed).toContain(pong);
  });

  test('headers behind very many others count as well', async () => {
    const many = Array.from({ length: 2500 }, () => 'a:');
    const own = [...head(), `Content-Length: ${ping.length}`];
    const asked = async (last: readonly string[]) => {
      const socket = await openRawSocket(url);
      socket.write(requestText([...many, ...own, ...last, 'Connection: close'], ping));
      return socket.closed;
    };
    expect(await asked(['Origin: http://evil.example.com'])).toMatch(/^HTTP\/1\.1 403 /);
    expect(await asked([])).toContain(pong);
  });

  test('clients that reset in the middle of everything harm nobody', async () => {
    for (let count = 0; count < 40; count++) {
      const socket = await openRawSocket(url);
      const text = whole(
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"sleep","arguments":{"ms":30}}}',
      );
      socket.write(count % 2 === 0 ? text : text.slice(0, -10));
      socket.destroy();
    }
    await eventually(async () => {
      const acme = (await proxy.status()).tenants.find(({ id }) => id === 'acme');
      return acme?.inFlight === 0;
    });
    expect(await session.text('echo', { text: 'still here' })).toBe('still here');
  });
});

describe('patience has an end', () => {
  test('a client that sends its headers byte by byte is cut after 10 s, and others did not wait', async () => {
    const { tookMs, received } = await dribbled;
    expect(tookMs).toBeGreaterThan(9000);
    expect(tookMs).toBeLessThan(14_000);
    expect(received === '' || received.startsWith('HTTP/1.1 408')).toBe(true);
  });

  test('an initialize that takes longer than the signs of life still opens a session', async () => {
    const answer = await slowlyOpened;
    expect(answer.status).toBe(200);
    expect(await answer.ended).toContain('"serverInfo"');
    expect(answer.headers['mcp-session-id']).toMatch(/^[\x21-\x7e]{43,}$/);
  });
});
