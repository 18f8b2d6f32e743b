import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { type CallToolResult, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import {
  answerLine,
  answerOf,
  type Exchange,
  errorIn,
  mcpHeaders,
  openRawSession,
  send,
} from '../support/raw-session.ts';
import { type Relay, startRelay } from '../support/relay.ts';
import { type RunningProxy, startProxy, tenantYaml } from '../support/start-proxy.ts';

const retryMs = 50;
const oneWorker = 'pool: { max: 1 }';
const config = `sessions: { replay: { events: 20, perSession: 64KiB, keep: 5m, retry: ${retryMs}ms } }`;

let proxy: RunningProxy;
let forgetful: RunningProxy;

beforeAll(async () => {
  const tenants = Object.fromEntries(
    ['acme', 'globex', 'official'].map((id) => [id, tenantYaml(id, 'echo', oneWorker)]),
  );
  proxy = await startProxy({ config, tenants });
  forgetful = await startProxy({
    config: 'sessions: { replay: { events: 0 } }',
    tenants: { acme: tenants['acme']! },
  });
});

afterAll(async () => {
  await Promise.all([proxy.stop(), forgetful.stop()]);
});

interface SseEvent {
  readonly id: string | undefined;
  readonly retry: string | undefined;
  readonly data: string | undefined;
}

/** Whole events as they were sent; comments are none. */
function eventsOf({ text }: Exchange): SseEvent[] {
  return text
    .split('\n\n')
    .slice(0, -1)
    .filter((event) => !event.startsWith(':'))
    .map((event) => {
      const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(event)?.[1];
      return { id: field('id'), retry: field('retry'), data: field('data') };
    });
}

function open(tenant = 'acme', version?: string) {
  return openRawSession(proxy.url, proxy.keys[tenant]!, version === undefined ? {} : { version });
}

function resume(session: string, lastEventId: string, tenant = 'acme'): Promise<Exchange> {
  const own = { 'mcp-session-id': session, 'last-event-id': lastEventId, accept: 'text/event-stream' };
  return send(proxy.url, { method: 'GET', headers: mcpHeaders(proxy.keys[tenant]!, own) });
}

const steps = (count: number, ms: number) =>
  ['progress', { steps: count, ms }, { id: '7', token: '"t"' }] as const;

describe('events', () => {
  test('of a POST begin with an id without data and the time to wait; each has an id', async () => {
    const session = await open();
    const exchange = await session.begin(...steps(2, 1));
    await exchange.ended;
    const events = eventsOf(exchange);
    expect(events).toHaveLength(4);
    expect(events[0]).toMatchObject({ retry: String(retryMs), data: '' });
    expect(new Set(events.map(({ id }) => id)).size).toBe(4);
    expect(events.every(({ id }) => id !== undefined)).toBe(true);
    expect(JSON.parse(events.at(-1)?.data ?? '')).toMatchObject({ id: 7, result: {} });
  });

  test.each(['2025-03-26', '2025-06-18'])(
    'without data are not sent to a client of %s, which could not read them',
    async (version) => {
      const session = await open('acme', version);
      const exchange = await session.begin(...steps(2, 1));
      const listening = await session.listen();
      await exchange.ended;
      const events = eventsOf(exchange);
      expect(events).toHaveLength(3);
      for (const { id, retry, data } of events) {
        expect(id).toBeDefined();
        expect(retry).toBeUndefined();
        expect(() => void JSON.parse(data ?? '')).not.toThrow();
      }
      expect(listening.text).toBe('');
      listening.close();
    },
  );

  test('of a GET begin likewise', async () => {
    const session = await open();
    const listening = await session.listen();
    const [first] = await eventually(() => eventsOf(listening).length > 0 && eventsOf(listening));
    expect(first).toMatchObject({ retry: String(retryMs), data: '' });
    listening.close();
  });

  test('an answer with nothing before it stays plain JSON', async () => {
    const session = await open();
    const exchange = await session.begin('echo', { text: 'x' });
    expect(exchange.headers['content-type']).toBe('application/json');
    expect(await exchange.ended).toBe(answerLine('1', 'x'));
  });

  test('have no ids where nothing is kept', async () => {
    const session = await openRawSession(forgetful.url, forgetful.keys['acme']!);
    const exchange = await session.begin(...steps(2, 1));
    await exchange.ended;
    expect(eventsOf(exchange).map(({ id }) => id)).toEqual([undefined, undefined, undefined]);
  });
});

describe('an answer whose connection broke', () => {
  test('is waited for, kept, and told once to the client that comes again', async () => {
    const session = await open();
    const cut = await session.begin(...steps(6, 20));
    await eventually(() => eventsOf(cut).length >= 3);
    const heard = eventsOf(cut);
    cut.close();
    const again = await resume(session.id, heard.at(-1)!.id!);
    await again.ended;
    const rest = eventsOf(again);
    const all = [...heard, ...rest].map(({ data }) => data).filter((data) => data !== '');
    expect(
      all.slice(0, -1).map((data) => (JSON.parse(data!) as { params: { progress: number } }).params.progress),
    ).toEqual([1, 2, 3, 4, 5, 6]);
    expect(JSON.parse(all.at(-1)!)).toMatchObject({ id: 7, result: {} });
    // It has everything: there is nothing to come for.
    const done = await resume(session.id, rest.at(-1)!.id!);
    expect([done.status, await done.ended]).toEqual([204, '']);
  });

  test('can be had from any event on, also long after the call is over', async () => {
    const session = await open();
    const exchange = await session.begin(...steps(3, 1));
    await exchange.ended;
    const events = eventsOf(exchange);
    for (const [at, { id }] of events.slice(0, -1).entries()) {
      const again = await resume(session.id, id!);
      await again.ended;
      expect(eventsOf(again)).toEqual(events.slice(at + 1));
    }
  });

  test('is not cancelled by that', async () => {
    const session = await open('globex');
    const cut = await session.begin('progress', { steps: 3, ms: 30 }, { token: '1' });
    await eventually(() => eventsOf(cut).length >= 2);
    const { id } = eventsOf(cut)[0]!;
    cut.close();
    const again = await resume(session.id, id!, 'globex');
    expect(JSON.parse(await answerOf(again))).toMatchObject({ id: 1, result: {} });
    expect(JSON.parse(await session.text('seen'))).toMatchObject({ cancelled: [] });
  });

  test('that was cancelled has an end, and nothing after it', async () => {
    const session = await open();
    const cut = await session.begin('progress', { steps: 50, ms: 20 }, { id: '7', token: '1' });
    await eventually(() => eventsOf(cut).length >= 2);
    cut.close();
    await (
      await session.notify('notifications/cancelled', '{"requestId":7}')
    ).ended;
    const again = await resume(session.id, eventsOf(cut)[1]!.id!);
    const text = await again.ended;
    expect(text).not.toContain('result');
    const last = eventsOf(again).at(-1)?.id ?? eventsOf(cut)[1]!.id!;
    expect((await resume(session.id, last)).status).toBe(204);
  });

  test('larger than may be kept is lost, and the client is told so', async () => {
    const session = await open();
    const { id } = await lastOfCut(session.id, 70 * 1024);
    const again = await resume(session.id, id);
    expect(again.status).toBe(400);
    expect(errorIn(await again.ended)).toMatchObject({ data: { code: 'INVALID_REQUEST' } });
  });

  test('and what came before it is kept in a bounded number', async () => {
    const session = await open();
    const exchange = await session.begin(...steps(40, 1));
    await exchange.ended;
    const events = eventsOf(exchange);
    expect((await resume(session.id, events[1]!.id!)).status).toBe(400);
    const again = await resume(session.id, events.at(-3)!.id!);
    await again.ended;
    expect(eventsOf(again)).toEqual(events.slice(-2));
  });

  /** A call that said something, lost its client, and then answered with `bytes`. */
  async function lastOfCut(session: string, bytes: number): Promise<{ id: string }> {
    const headers = mcpHeaders(proxy.keys['acme']!, { 'mcp-session-id': session });
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"progress","arguments":{"steps":3,"ms":20,"bytes":${bytes}},"_meta":{"progressToken":1}}}`;
    const cut = await send(proxy.url, { headers, body });
    await eventually(() => eventsOf(cut).length >= 2);
    cut.close();
    await eventually(async () => (await proxy.status()).totals.inFlight === 0);
    return { id: eventsOf(cut)[1]!.id! };
  }
});

describe('Last-Event-ID', () => {
  test('of another session, of another tenant, or made up is not known', async () => {
    const [mine, theirs, foreign] = await Promise.all([open(), open(), open('globex')]);
    const exchange = await theirs.begin(...steps(1, 1));
    await exchange.ended;
    const { id } = eventsOf(exchange)[0]!;
    const answers = await Promise.all([
      resume(mine.id, id!),
      resume(foreign.id, id!, 'globex'),
      resume(mine.id, 'made-up'),
      resume(mine.id, id!.replace(/^.{16}/, 'A'.repeat(16))),
    ]);
    const told = await Promise.all(answers.map(async (answer) => errorIn(await answer.ended).message));
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
    expect(new Set(told).size).toBe(1);
    expect(told[0]).toMatch(/Last-Event-ID/);
    const stolen = await resume(theirs.id, id!, 'globex');
    expect(stolen.status).toBe(404);
  });
});

describe('a listening stream that broke', () => {
  test('goes on with what was missed, each message once and on one stream only', async () => {
    const session = await open('globex');
    const listening = await session.listen();
    await session.call('change', { list: 'tools' });
    await eventually(() => eventsOf(listening).length === 2);
    const start = eventsOf(listening)[0]!.id!;
    listening.close();
    await session.call('change', { list: 'prompts' });
    const again = await resume(session.id, start, 'globex');
    const events = await eventually(() => eventsOf(again).length >= 2 && eventsOf(again));
    expect(events.map(({ data }) => (JSON.parse(data!) as { method: string }).method)).toEqual([
      'notifications/tools/list_changed',
      'notifications/prompts/list_changed',
    ]);
    // The same stream goes on, and another opened meanwhile gets nothing of it.
    await session.call('change', { list: 'resources' });
    await eventually(() => eventsOf(again).length === 3);
    expect(new Set(eventsOf(again).map(({ id }) => id!.replace(/-\d+$/, ''))).size).toBe(1);
    again.close();
  });

  test('and looks well to the proxy is taken over by the client that comes again', async () => {
    const relay = await startRelay(proxy.url);
    onTestFinished(() => relay.stop());
    const session = await openRawSession(relay.url, proxy.keys['globex']!);
    const listening = await session.listen();
    const [first] = await eventually(() => eventsOf(listening).length > 0 && eventsOf(listening));
    relay.freeze();
    const other = await openRawSession(proxy.url, proxy.keys['globex']!);
    await other.call('change', { list: 'tools' });
    const again = await resume(session.id, first!.id!, 'globex');
    await eventually(() => eventsOf(again).length === 1);
    await other.call('change', { list: 'prompts' });
    await eventually(() => eventsOf(again).length === 2);
    expect(eventsOf(listening)).toHaveLength(1);
    again.close();
    listening.close();
  });
});

describe('the official client, on a network that breaks,', () => {
  let relay: Relay;
  beforeAll(async () => {
    relay = await startRelay(proxy.url);
  });
  afterAll(() => relay.stop());

  async function connectOfficial(): Promise<Client> {
    const client = new Client({ name: 'test', version: '1' });
    const headers = { Authorization: `Bearer ${proxy.keys['official']!}` };
    const reconnectionOptions = {
      initialReconnectionDelay: 10,
      maxReconnectionDelay: 100,
      reconnectionDelayGrowFactor: 1,
      maxRetries: 20,
    };
    const options = { requestInit: { headers }, reconnectionOptions };
    await client.connect(new StreamableHTTPClientTransport(new URL(relay.url), options));
    onTestFinished(() => client.close());
    return client;
  }

  test('gets its answer, though the connection was cut in mid-call, twice', async () => {
    const client = await connectOfficial();
    const heard: number[] = [];
    const answer = client.callTool({ name: 'progress', arguments: { steps: 8, ms: 60 } }, undefined, {
      onprogress: ({ progress }) => {
        heard.push(progress);
        if (progress === 2 || progress === 5) expect(relay.cut()).toBeGreaterThan(0);
      },
    });
    expect((await answer) as CallToolResult).toMatchObject({ content: [{ type: 'text' }] });
    expect(heard).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('goes on listening, and misses nothing', async () => {
    const client = await connectOfficial();
    let changes = 0;
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
      changes++;
    });
    const other = await open('official');
    await other.call('change', { list: 'tools' });
    await eventually(() => changes === 1);
    for (const expected of [2, 3, 4]) {
      expect(relay.cut()).toBeGreaterThan(0);
      await other.call('change', { list: 'tools' });
      await eventually(() => changes >= expected);
    }
    expect(changes).toBe(4);
  });
});
